"""AdminContract: the system's beginning, its parameters, its pauses, its countries."""

from collections.abc import Mapping

from gx.chaincode.context import Context, Effect
from gx.chaincode.errors import InvariantError
from gx.chaincode.functions import submit
from gx.contracts import accounts, administrators, countries, keys, parameters, supply, system
from gx.domain.amounts import Amount
from gx.domain.arguments import Arguments, CountryShares
from gx.domain.catalogue import (
    ACTIVATE_TREASURY,
    APPOINT_ADMIN,
    BOOTSTRAP_SYSTEM,
    INITIALIZE_COUNTRY_DATA,
    PAUSE_SYSTEM,
    RESUME_SYSTEM,
    UPDATE_SYSTEM_PARAMETER,
)
from gx.domain.economics import POOL_ALLOCATIONS
from gx.domain.events import (
    AccountStatus,
    AdminAppointed,
    CoinsMinted,
    CountryDataInitialized,
    CountryOpened,
    SystemBootstrapped,
    SystemPaused,
    SystemResumed,
    TreasuryAccountActivated,
)
from gx.domain.identifiers import (
    OPERATIONS_FUND,
    AccountId,
    CountryCode,
    UserId,
    treasury_of,
)
from gx.domain.refusals import RefusalCode, RefusedError
from gx.domain.world_state import AccountKind


@submit(BOOTSTRAP_SYSTEM)
def bootstrap_system(context: Context, _arguments: Arguments) -> Effect:
    """Write the parameters, open the system's accounts and mint the pools: all or nothing.

    Afterwards each pool holds exactly its allocation, and the supply is their sum.

    Raises:
        RefusedError: ALREADY_BOOTSTRAPPED.
        InvariantError: a pool would hold something else; the transaction fails whole.
    """
    values = system.open_system(context)
    opened = tuple(
        accounts.open_account(context, account_id, AccountKind.SYSTEM)
        for account_id in (*POOL_ALLOCATIONS, OPERATIONS_FUND)
    )
    minted = _mint_pools(context)
    _require_allocations(context)
    event = SystemBootstrapped(
        timestamp=context.timestamp_s,
        changes=opened,
        pools=dict[str, Amount](POOL_ALLOCATIONS.items()),
        supply=supply.minted(context),
        parameters={name: str(value) for name, value in values.items()},
    )
    return Effect(events=(event, *minted))


def _mint_pools(context: Context) -> tuple[CoinsMinted, ...]:
    return tuple(
        supply.mint(context, pool_id, allocation, f"Bootstrap: Initial {pool_id} allocation")
        for pool_id, allocation in POOL_ALLOCATIONS.items()
    )


def _require_allocations(context: Context) -> None:
    for pool_id, allocation in POOL_ALLOCATIONS.items():
        balance = accounts.require(context, pool_id).balance
        if balance != allocation:
            raise InvariantError(
                f"bootstrap would leave {balance} base units in {pool_id}, not {allocation}"
            )


@submit(INITIALIZE_COUNTRY_DATA)
def initialize_country_data(context: Context, arguments: Arguments) -> Effect:
    """Open countries, each with a locked treasury; all of them or none.

    Raises:
        RefusedError: COUNTRY_EXISTS, or ARGUMENT_INVALID beyond 100 per cent in all.
    """
    shares = CountryShares().parse("countries", arguments.text("countries"))
    opened = countries.open_countries(context, shares)
    event = CountryDataInitialized(
        timestamp=context.timestamp_s,
        changes=opened,
        countries=tuple(
            CountryOpened(
                country_code=share.country,
                percentage=share.percentage,
                treasury_id=treasury_of(share.country),
            )
            for share in shares
        ),
    )
    return Effect(events=(event,))


@submit(UPDATE_SYSTEM_PARAMETER)
def update_system_parameter(context: Context, arguments: Arguments) -> Effect:
    """Change one parameter within its bounds.

    Raises:
        RefusedError: PARAMETER_UNKNOWN or PARAMETER_VALUE_INVALID.
    """
    updated = parameters.change(context, arguments.text("id"), arguments.text("value"))
    return Effect(events=(updated,))


@submit(PAUSE_SYSTEM)
def pause_system(context: Context, arguments: Arguments) -> Effect:
    """Refuse every write from here on but ResumeSystem."""
    reason = arguments.text("reason")
    system.pause(context, reason)
    return Effect(events=(SystemPaused(timestamp=context.timestamp_s, reason=reason),))


@submit(RESUME_SYSTEM)
def resume_system(context: Context, _arguments: Arguments) -> Effect:
    """Take writes again; changes nothing if nobody paused."""
    system.resume(context)
    return Effect(events=(SystemResumed(timestamp=context.timestamp_s),))


def _keys_of_administrator(arguments: Mapping[str, str], _actor: str) -> tuple[str, ...]:
    return (keys.administrator(UserId(arguments["adminId"])),)


@submit(APPOINT_ADMIN, keys=_keys_of_administrator)
def appoint_admin(context: Context, arguments: Arguments) -> Effect:
    """Record somebody as an administrator, once.

    Raises:
        RefusedError: ACTOR_MISMATCH for oneself, ADMIN_EXISTS.
    """
    admin_id = UserId(arguments.text("adminId"))
    administrators.appoint(context, admin_id)
    return Effect(events=(AdminAppointed(timestamp=context.timestamp_s, admin_id=admin_id),))


def _keys_of_treasury(arguments: Mapping[str, str], _actor: str) -> tuple[str, ...]:
    return (keys.account(treasury_of(CountryCode(arguments["countryCode"]))),)


@submit(ACTIVATE_TREASURY, keys=_keys_of_treasury)
def activate_treasury_account(context: Context, arguments: Arguments) -> Effect:
    """Let a country's treasury send.

    Raises:
        RefusedError: COUNTRY_UNKNOWN, or TREASURY_NOT_LOCKED if it may send already.
    """
    country_code = CountryCode(arguments.text("countryCode"))
    treasury_id = treasury_of(country_code)
    _require_locked_treasury(context, country_code, treasury_id)
    accounts.set_status(context, treasury_id, AccountStatus.ACTIVE)
    event = TreasuryAccountActivated(
        timestamp=context.timestamp_s, country_code=country_code, treasury_id=treasury_id
    )
    return Effect(events=(event,))


def _require_locked_treasury(
    context: Context, country_code: CountryCode, treasury_id: AccountId
) -> None:
    treasury = accounts.find(context, treasury_id)
    if treasury is None:
        raise RefusedError(
            RefusalCode.COUNTRY_UNKNOWN, f"{country_code} is not open; open it first"
        )
    if treasury.status is not AccountStatus.LOCKED:
        raise RefusedError(RefusalCode.TREASURY_NOT_LOCKED, f"{treasury_id} is {treasury.status}")
