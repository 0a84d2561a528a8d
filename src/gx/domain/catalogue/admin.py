"""System-wide commands: bootstrap, countries, parameters, pause, administrators, treasuries."""

from typing import Final

from gx.domain.arguments import Argument, Country, CountryShares, ParameterName, Text
from gx.domain.catalogue.vocabulary import COUNTRY, PARAMETER, USER_ID
from gx.domain.coherence import require_parameter_value
from gx.domain.commands import Access, Area, CommandSpec, FunctionSpec, QuerySpec
from gx.domain.events import (
    AdminAppointed,
    CoinsMinted,
    CountryDataInitialized,
    SystemBootstrapped,
    SystemParameterUpdated,
    SystemPaused,
    SystemResumed,
    TreasuryAccountActivated,
)
from gx.domain.refusals import RefusalCode
from gx.domain.roles import ADMINS, SUPER_ADMINS
from gx.domain.scopes import admin_scopes, exclusive, treasuries_scopes

BOOTSTRAP_SYSTEM: Final = CommandSpec(
    wire_name="BOOTSTRAP_SYSTEM",
    area=Area.ADMIN,
    function="AdminContract:BootstrapSystem",
    path="/admin/bootstrap",
    access=Access.SUPER_ADMIN,
    roles=SUPER_ADMINS,
    arguments=(),
    scopes=exclusive,
    events=(SystemBootstrapped, CoinsMinted),
    read_models=("system_status", "system_parameters", "accounts", "account_entries", "supply"),
    refusals=(RefusalCode.ALREADY_BOOTSTRAPPED,),
    summary="Create the system parameters and mint the four pools, once.",
    is_allowed_before_bootstrap=True,
)

INITIALIZE_COUNTRY_DATA: Final = CommandSpec(
    wire_name="INITIALIZE_COUNTRY_DATA",
    area=Area.ADMIN,
    function="AdminContract:InitializeCountryData",
    path="/admin/countries/initialize",
    access=Access.SUPER_ADMIN,
    roles=SUPER_ADMINS,
    arguments=(
        Argument(
            name="countries",
            kind=CountryShares(),
            description="The countries to open, with their shares in per cent.",
            example=[{"countryCode": "US", "percentage": "4.2"}],
        ),
    ),
    scopes=exclusive,
    events=(CountryDataInitialized,),
    read_models=("countries", "accounts"),
    refusals=(RefusalCode.COUNTRY_EXISTS, RefusalCode.COUNTRY_UNKNOWN),
    summary="Open countries, each with a locked treasury.",
)

UPDATE_SYSTEM_PARAMETER: Final = CommandSpec(
    wire_name="UPDATE_SYSTEM_PARAMETER",
    area=Area.ADMIN,
    function="AdminContract:UpdateSystemParameter",
    path="/admin/parameters",
    access=Access.SUPER_ADMIN,
    roles=SUPER_ADMINS,
    arguments=(
        Argument(
            name="id", kind=ParameterName(), description="The parameter.", example="feeLowerBps"
        ),
        Argument(
            name="value",
            kind=Text(
                maximum=40,
                invalid=RefusalCode.PARAMETER_VALUE_INVALID,
                empty=RefusalCode.PARAMETER_VALUE_INVALID,
            ),
            description="Its new value, a decimal string.",
            example="6",
        ),
    ),
    scopes=exclusive,
    events=(SystemParameterUpdated,),
    read_models=("system_parameters",),
    refusals=(RefusalCode.PARAMETER_UNKNOWN, RefusalCode.PARAMETER_VALUE_INVALID),
    summary="Change one system parameter within its bounds.",
    require_coherent=require_parameter_value,
)

PAUSE_SYSTEM: Final = CommandSpec(
    wire_name="PAUSE_SYSTEM",
    area=Area.ADMIN,
    function="AdminContract:PauseSystem",
    path="/admin/system/pause",
    access=Access.SUPER_ADMIN,
    roles=SUPER_ADMINS,
    arguments=(
        Argument(
            name="reason",
            kind=Text(minimum=10, maximum=500),
            description="Why, for everybody who is refused.",
            example="Planned upgrade of the ledger",
        ),
    ),
    scopes=exclusive,
    events=(SystemPaused,),
    read_models=("system_status",),
    refusals=(),
    summary="Refuse every write until the system is resumed.",
)

RESUME_SYSTEM: Final = CommandSpec(
    wire_name="RESUME_SYSTEM",
    area=Area.ADMIN,
    function="AdminContract:ResumeSystem",
    path="/admin/system/resume",
    access=Access.SUPER_ADMIN,
    roles=SUPER_ADMINS,
    arguments=(),
    scopes=exclusive,
    events=(SystemResumed,),
    read_models=("system_status",),
    refusals=(),
    summary="Take writes again after a pause.",
    is_allowed_while_paused=True,
)

APPOINT_ADMIN: Final = CommandSpec(
    wire_name="APPOINT_ADMIN",
    area=Area.ADMIN,
    function="AdminContract:AppointAdmin",
    path="/admin/admins",
    access=Access.SUPER_ADMIN,
    roles=SUPER_ADMINS,
    arguments=(
        Argument(
            name="adminId", kind=USER_ID, description="Who is appointed.", example="ops-grace"
        ),
    ),
    scopes=admin_scopes,
    events=(AdminAppointed,),
    read_models=("admins",),
    refusals=(RefusalCode.ADMIN_EXISTS, RefusalCode.ACTOR_MISMATCH),
    summary="Record somebody as an administrator.",
)

ACTIVATE_TREASURY: Final = CommandSpec(
    wire_name="ACTIVATE_TREASURY",
    area=Area.ADMIN,
    function="AdminContract:ActivateTreasuryAccount",
    path="/admin/treasury/activate",
    access=Access.ADMIN,
    roles=ADMINS,
    arguments=(
        Argument(name="countryCode", kind=Country(), description="Whose treasury.", example="US"),
    ),
    scopes=treasuries_scopes,
    events=(TreasuryAccountActivated,),
    read_models=("accounts",),
    refusals=(RefusalCode.COUNTRY_UNKNOWN, RefusalCode.TREASURY_NOT_LOCKED),
    summary="Let a country's treasury send.",
)

COMMANDS: Final = (
    BOOTSTRAP_SYSTEM,
    INITIALIZE_COUNTRY_DATA,
    UPDATE_SYSTEM_PARAMETER,
    PAUSE_SYSTEM,
    RESUME_SYSTEM,
    APPOINT_ADMIN,
    ACTIVATE_TREASURY,
)

FUNCTIONS: Final = (
    FunctionSpec(
        function="AdminContract:GetSystemStatus",
        arguments=(),
        summary="Whether the system is bootstrapped and paused, and why.",
    ),
    FunctionSpec(
        function="AdminContract:GetCountryStats",
        arguments=(COUNTRY,),
        summary="A country's share, users and genesis coins.",
    ),
    FunctionSpec(
        function="AdminContract:ListCountries",
        arguments=(),
        summary="Every open country with its share.",
    ),
    FunctionSpec(
        function="AdminContract:GetGlobalCounters",
        arguments=(),
        summary="Users, genesis distributions and supply.",
    ),
    FunctionSpec(
        function="AdminContract:GetSystemParameter",
        arguments=(PARAMETER,),
        summary="One system parameter's value.",
    ),
)

QUERIES: Final = (
    QuerySpec(
        name="system_status", area=Area.ADMIN, path="/admin/system/status",
        access=Access.PUBLIC, read_models=("system_status",),
        summary="Whether the system is bootstrapped and paused.",
    ),
    QuerySpec(
        name="countries", area=Area.ADMIN, path="/admin/countries", access=Access.PUBLIC,
        read_models=("countries",), summary="Every open country.",
        parameters=("limit", "cursor"),
    ),
    QuerySpec(
        name="country_stats", area=Area.ADMIN, path="/admin/countries/{countryCode}/stats",
        access=Access.PUBLIC, read_models=("countries",),
        summary="One country's share, users and genesis coins.",
    ),
    QuerySpec(
        name="system_parameter", area=Area.ADMIN, path="/admin/parameters/{id}",
        access=Access.PUBLIC, read_models=("system_parameters",),
        summary="One system parameter.",
    ),
    QuerySpec(
        name="global_counters", area=Area.ADMIN, path="/admin/counters",
        access=Access.PUBLIC, read_models=("countries", "genesis", "supply"),
        summary="Users, genesis distributions, supply.",
    ),
)  # fmt: skip
