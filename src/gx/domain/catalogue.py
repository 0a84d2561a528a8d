"""The catalogue: every command, query and reading contract function, each declared once."""

from typing import Final

from gx.domain.arguments import (
    Argument,
    Country,
    CountryShares,
    Hash,
    Identifier,
    Integer,
    ParameterName,
    PositiveAmount,
    Source,
    Text,
)
from gx.domain.commands import Access, Area, CommandSpec, FunctionSpec, QuerySpec
from gx.domain.events import (
    AdminAppointed,
    CoinsMinted,
    CoinsTransferred,
    CountryDataInitialized,
    GenesisDistributed,
    SystemBootstrapped,
    SystemParameterUpdated,
    SystemPaused,
    SystemResumed,
    TreasuryAccountActivated,
    TreasuryAllocated,
    UserCreated,
    UserLocked,
    UserUnlocked,
    WalletFrozen,
    WalletUnfrozen,
)
from gx.domain.refusals import RefusalCode
from gx.domain.roles import ADMINS, PARTNERS, SUPER_ADMINS
from gx.domain.scopes import (
    admin_scopes,
    create_user_scopes,
    exclusive,
    genesis_scopes,
    mint_scopes,
    transfer_scopes,
    treasuries_scopes,
    user_scopes,
    wallet_scopes,
)

_ACCOUNT_ID: Final = Identifier(empty=RefusalCode.ACCOUNT_ID_EMPTY)
_USER_ID: Final = Identifier()
_REMARK: Final = Text(empty=RefusalCode.REMARK_EMPTY)
_EXAMPLE_HASH: Final = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"


def _user_in_path(description: str) -> Argument:
    return Argument(
        name="userId", kind=_USER_ID, description=description, example="alice", source=Source.PATH
    )


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
            name="adminId", kind=_USER_ID, description="Who is appointed.", example="ops-grace"
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
MINT_COINS: Final = CommandSpec(
    wire_name="MINT_COINS",
    area=Area.TOKENOMICS,
    function="TokenomicsContract:Mint",
    path="/admin/mint",
    access=Access.SUPER_ADMIN,
    roles=SUPER_ADMINS,
    arguments=(
        Argument(
            name="accountId", kind=_ACCOUNT_ID, description="Who is credited.", example="alice"
        ),
        Argument(
            name="amount", kind=PositiveAmount(), description="Base units.", example="500000000"
        ),
        Argument(
            name="remark", kind=_REMARK, description="Why the coins exist.", example="Welcome"
        ),
    ),
    scopes=mint_scopes,
    events=(CoinsMinted,),
    read_models=("accounts", "account_entries", "supply"),
    refusals=(
        RefusalCode.ACCOUNT_ID_EMPTY,
        RefusalCode.AMOUNT_NOT_POSITIVE,
        RefusalCode.AMOUNT_OVERFLOW,
        RefusalCode.REMARK_EMPTY,
        RefusalCode.SUPPLY_CAP_EXCEEDED,
    ),
    summary="Create coins on an account.",
)
CREATE_USER: Final = CommandSpec(
    wire_name="CREATE_USER",
    area=Area.IDENTITY,
    function="IdentityContract:CreateUser",
    path="/users",
    access=Access.PARTNER,
    roles=PARTNERS,
    arguments=(
        Argument(name="userId", kind=_USER_ID, description="The new id.", example="alice"),
        Argument(
            name="biometricHash",
            kind=Hash(invalid=RefusalCode.BIOMETRIC_HASH_INVALID),
            description="Hash of the person's biometric template.",
            example=_EXAMPLE_HASH,
        ),
        Argument(
            name="nationality", kind=Country(), description="Country of the user.", example="US"
        ),
        Argument(
            name="age",
            kind=Integer(minimum=0, maximum=150, invalid=RefusalCode.AGE_OUT_OF_RANGE),
            description="Years.",
            example=34,
        ),
    ),
    scopes=create_user_scopes,
    events=(UserCreated,),
    read_models=("users", "accounts", "countries"),
    refusals=(
        RefusalCode.USER_EXISTS,
        RefusalCode.BIOMETRIC_HASH_INVALID,
        RefusalCode.BIOMETRIC_HASH_EXISTS,
        RefusalCode.COUNTRY_UNKNOWN,
        RefusalCode.AGE_OUT_OF_RANGE,
    ),
    summary="Register a user and open a wallet at 0.",
)
DISTRIBUTE_GENESIS: Final = CommandSpec(
    wire_name="DISTRIBUTE_GENESIS",
    area=Area.TOKENOMICS,
    function="TokenomicsContract:DistributeGenesis",
    path="/genesis",
    access=Access.ADMIN,
    roles=ADMINS,
    arguments=(
        Argument(name="userId", kind=_USER_ID, description="Who receives.", example="alice"),
    ),
    scopes=genesis_scopes,
    events=(GenesisDistributed, TreasuryAllocated),
    read_models=("accounts", "account_entries", "users", "countries", "genesis"),
    refusals=(
        RefusalCode.USER_NOT_FOUND,
        RefusalCode.USER_NOT_ACTIVE,
        RefusalCode.GENESIS_ALREADY_DISTRIBUTED,
        RefusalCode.AGE_OUT_OF_RANGE,
        RefusalCode.GENESIS_POOL_EXHAUSTED,
    ),
    summary="Pay a user and the user's country the genesis coins, once.",
)
TRANSFER_TOKENS: Final = CommandSpec(
    wire_name="TRANSFER_TOKENS",
    area=Area.TOKENOMICS,
    function="TokenomicsContract:Transfer",
    path="/transfers",
    access=Access.USER,
    roles=PARTNERS | ADMINS,
    arguments=(
        Argument(name="fromId", kind=_ACCOUNT_ID, description="Who pays.", example="alice"),
        Argument(name="toId", kind=_ACCOUNT_ID, description="Who receives.", example="bob"),
        Argument(
            name="amount", kind=PositiveAmount(), description="Base units.", example="150000000"
        ),
        Argument(name="remark", kind=_REMARK, description="What for.", example="Lunch"),
    ),
    scopes=transfer_scopes,
    events=(CoinsTransferred,),
    read_models=("accounts", "account_entries"),
    refusals=(
        RefusalCode.ACCOUNT_ID_EMPTY,
        RefusalCode.AMOUNT_NOT_POSITIVE,
        RefusalCode.AMOUNT_OVERFLOW,
        RefusalCode.REMARK_EMPTY,
        RefusalCode.ACTOR_MISMATCH,
        RefusalCode.SELF_TRANSFER,
        RefusalCode.ACCOUNT_NOT_FOUND,
        RefusalCode.ACCOUNT_FROZEN,
        RefusalCode.USER_NOT_ACTIVE,
        RefusalCode.INSUFFICIENT_FUNDS,
    ),
    summary="Move coins between two accounts; the sender pays the fee.",
    actor_argument="fromId",
)
FREEZE_WALLET: Final = CommandSpec(
    wire_name="FREEZE_WALLET",
    area=Area.TOKENOMICS,
    function="TokenomicsContract:FreezeWallet",
    path="/wallets/{userId}/freeze",
    access=Access.SUPER_ADMIN,
    roles=SUPER_ADMINS,
    arguments=(
        _user_in_path("Whose wallet."),
        Argument(name="reason", kind=Text(), description="Why.", example="Reported stolen"),
    ),
    scopes=wallet_scopes,
    events=(WalletFrozen,),
    read_models=("accounts",),
    refusals=(RefusalCode.ACCOUNT_NOT_FOUND,),
    summary="Stop a wallet from sending and receiving.",
)
UNFREEZE_WALLET: Final = CommandSpec(
    wire_name="UNFREEZE_WALLET",
    area=Area.TOKENOMICS,
    function="TokenomicsContract:UnfreezeWallet",
    path="/wallets/{userId}/unfreeze",
    access=Access.SUPER_ADMIN,
    roles=SUPER_ADMINS,
    arguments=(_user_in_path("Whose wallet."),),
    scopes=wallet_scopes,
    events=(WalletUnfrozen,),
    read_models=("accounts",),
    refusals=(RefusalCode.ACCOUNT_NOT_FOUND,),
    summary="Let a frozen wallet work again.",
)
LOCK_USER: Final = CommandSpec(
    wire_name="LOCK_USER",
    area=Area.IDENTITY,
    function="IdentityContract:LockUser",
    path="/users/{userId}/lock",
    access=Access.SUPER_ADMIN,
    roles=SUPER_ADMINS,
    arguments=(
        _user_in_path("Whom."),
        Argument(name="reason", kind=Text(), description="Why.", example="Court order"),
    ),
    scopes=user_scopes,
    events=(UserLocked,),
    read_models=("users", "accounts"),
    refusals=(RefusalCode.USER_NOT_FOUND, RefusalCode.USER_NOT_ACTIVE),
    summary="Stop a user from sending.",
)
UNLOCK_USER: Final = CommandSpec(
    wire_name="UNLOCK_USER",
    area=Area.IDENTITY,
    function="IdentityContract:UnlockUser",
    path="/users/{userId}/unlock",
    access=Access.SUPER_ADMIN,
    roles=SUPER_ADMINS,
    arguments=(_user_in_path("Whom."),),
    scopes=user_scopes,
    events=(UserUnlocked,),
    read_models=("users", "accounts"),
    refusals=(RefusalCode.USER_NOT_FOUND, RefusalCode.USER_NOT_LOCKED),
    summary="Let a locked user send again.",
)

COMMANDS: Final[dict[str, CommandSpec]] = {
    spec.wire_name: spec
    for spec in (
        BOOTSTRAP_SYSTEM,
        INITIALIZE_COUNTRY_DATA,
        UPDATE_SYSTEM_PARAMETER,
        PAUSE_SYSTEM,
        RESUME_SYSTEM,
        APPOINT_ADMIN,
        ACTIVATE_TREASURY,
        MINT_COINS,
        CREATE_USER,
        DISTRIBUTE_GENESIS,
        TRANSFER_TOKENS,
        FREEZE_WALLET,
        UNFREEZE_WALLET,
        LOCK_USER,
        UNLOCK_USER,
    )
}
"""Every command by its wire name."""

COMMANDS_BY_FUNCTION: Final[dict[str, CommandSpec]] = {
    spec.function: spec for spec in COMMANDS.values()
}

_ACCOUNT: Final = Argument(
    name="accountId", kind=_ACCOUNT_ID, description="The account.", example="alice"
)
_USER: Final = Argument(name="userId", kind=_USER_ID, description="The user.", example="alice")
_COUNTRY: Final = Argument(
    name="countryCode", kind=Country(), description="The country.", example="US"
)
_PARAMETER: Final = Argument(
    name="id", kind=ParameterName(), description="The parameter.", example="feeLowerBps"
)

FUNCTIONS: Final[dict[str, FunctionSpec]] = {
    spec.function: spec
    for spec in (
        FunctionSpec(
            function="TokenomicsContract:GetBalance",
            arguments=(_ACCOUNT,),
            summary="The account with its balance in base units.",
        ),
        FunctionSpec(
            function="TokenomicsContract:GetTransactionHistory",
            arguments=(_ACCOUNT,),
            summary="The account after each ledger transaction that changed it, newest first.",
        ),
        FunctionSpec(
            function="TokenomicsContract:GetSupplyStatus",
            arguments=(),
            summary="Minted supply, its cap, and what is left of it.",
        ),
        FunctionSpec(
            function="TokenomicsContract:GetPoolStatus",
            arguments=(),
            summary="The system accounts with their balances, and the genesis phase.",
        ),
        FunctionSpec(
            function="AdminContract:GetSystemStatus",
            arguments=(),
            summary="Whether the system is bootstrapped and paused, and why.",
        ),
        FunctionSpec(
            function="AdminContract:GetCountryStats",
            arguments=(_COUNTRY,),
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
            arguments=(_PARAMETER,),
            summary="One system parameter's value.",
        ),
        FunctionSpec(
            function="IdentityContract:GetUser", arguments=(_USER,), summary="One user's record."
        ),
        FunctionSpec(
            function="IdentityContract:UserExists",
            arguments=(_USER,),
            summary="Whether the user exists.",
        ),
        FunctionSpec(
            function="IdentityContract:GetTrustScore",
            arguments=(_USER,),
            summary="The user's trust score.",
        ),
    )
}
"""Every contract function that only reads."""

QUERIES: Final[dict[str, QuerySpec]] = {
    spec.name: spec
    for spec in (
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
        QuerySpec(
            name="user", area=Area.IDENTITY, path="/users/{userId}", access=Access.USER,
            read_models=("users",), summary="One user.", owner_parameter="userId",
        ),
        QuerySpec(
            name="trust", area=Area.IDENTITY, path="/users/{userId}/trust", access=Access.USER,
            read_models=("users",), summary="A user's trust score.", owner_parameter="userId",
        ),
        QuerySpec(
            name="balance", area=Area.TOKENOMICS, path="/wallets/{accountId}/balance",
            access=Access.USER, read_models=("accounts",), summary="An account's balance.",
            owner_parameter="accountId",
        ),
        QuerySpec(
            name="account_entries", area=Area.TOKENOMICS,
            path="/wallets/{accountId}/transactions", access=Access.USER,
            read_models=("account_entries",), owner_parameter="accountId",
            summary="An account's entries, newest first.", parameters=("limit", "cursor"),
        ),
        QuerySpec(
            name="treasury_balance", area=Area.TOKENOMICS,
            path="/treasury/{countryCode}/balance", access=Access.PUBLIC,
            read_models=("accounts",), summary="A country's treasury.",
        ),
        QuerySpec(
            name="supply", area=Area.TOKENOMICS, path="/supply", access=Access.PUBLIC,
            read_models=("supply", "accounts"), summary="Supply, cap, and the sum of balances.",
        ),
        QuerySpec(
            name="pools", area=Area.TOKENOMICS, path="/pools", access=Access.PUBLIC,
            read_models=("accounts", "genesis"), summary="The system accounts.",
        ),
    )
}  # fmt: skip
"""Every read of the business API by name; commands and dead letters have routes of their own."""
