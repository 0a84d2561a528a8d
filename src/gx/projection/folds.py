"""One pure function for each event type: what the event changes in the read models.

A fold may read nothing but the event and its place. Registering a second fold for a type, or
none, is an error that `assert_complete` reports at start-up.
"""

from collections.abc import Callable
from typing import Final, NamedTuple, TypeAlias, TypeVar, cast

from gx.domain.errors import GxError
from gx.domain.events import (
    EVENTS,
    AccountStatus,
    AdminAppointed,
    CoinsMinted,
    CoinsTransferred,
    CountryDataInitialized,
    Event,
    FeesCollected,
    GenesisDistributed,
    SystemBootstrapped,
    SystemParameterUpdated,
    SystemPaused,
    SystemResumed,
    TaxTimer,
    TreasuryAccountActivated,
    TreasuryAllocated,
    UserCreated,
    UserLocked,
    UserUnlocked,
    WalletFrozen,
    WalletUnfrozen,
)
from gx.domain.identifiers import (
    OPERATIONS_FUND,
    AccountId,
    BlockNumber,
    CommandId,
    TransactionId,
)
from gx.domain.world_state import AccountKind
from gx.projection.changes import Add, Append, Change, Key, Put, Row, Value
from gx.projection.read_models import (
    ACCOUNT_ENTRIES,
    ACCOUNTS,
    ADMINS,
    COUNTRIES,
    GENESIS,
    SINGLETON_KEY,
    SUPPLY,
    SYSTEM_PARAMETERS,
    SYSTEM_STATUS,
    USERS,
    EntryKind,
)


class Place(NamedTuple):
    """Where on the ledger an event stands.

    `position` counts the events of a block from 0, over all its transactions. `command_id` is
    None for a function that was called directly, past the outbox.
    """

    block_number: BlockNumber
    position: int
    transaction_id: TransactionId
    command_id: CommandId | None


PlaceParts: TypeAlias = tuple[BlockNumber, int, TransactionId, CommandId | None]
"""A place whose names nobody needs: a plain tuple is made several times faster."""


class MissingFoldError(GxError):
    """An event type has no fold, so the projection would stop at its first event."""


_E = TypeVar("_E", bound=Event)
Fold: TypeAlias = Callable[[_E, Place], list[Change]]

_FOLDS: Final[dict[type[Event], Fold[Event]]] = {}
_FEE: Final = EntryKind.FEE.value


def folds(event_type: type[_E]) -> Callable[[Fold[_E]], Fold[_E]]:
    """Register the decorated function as the fold of `event_type`."""

    def register(function: Fold[_E]) -> Fold[_E]:
        if event_type in _FOLDS:
            raise MissingFoldError(f"{event_type.WIRE_NAME} has two folds")
        _FOLDS[event_type] = cast("Fold[Event]", function)
        return function

    return register


def assert_complete() -> None:
    """Check that every event of the domain has its fold.

    Raises:
        MissingFoldError: naming each event type without one.
    """
    missing = [name for name, event_type in EVENTS.items() if event_type not in _FOLDS]
    if missing:
        raise MissingFoldError(
            f"no fold for {', '.join(missing)}: add one to {__name__} for each of them"
        )


def fold(event: Event, place: Place) -> list[Change]:
    """Return what the event changes, in the order in which it happens.

    Raises:
        MissingFoldError: nobody registered a fold for this type.
    """
    function = _FOLDS.get(type(event))
    if function is None:
        raise MissingFoldError(f"no fold for {type(event).__name__}")
    return function(event, place)


def _entry_kind(account_id: str, kind: str, parties: tuple[str, ...]) -> str:
    """Tell why this account's balance changed; income of the fund from others' deals is a fee."""
    return _FEE if account_id == OPERATIONS_FUND and OPERATIONS_FUND not in parties else kind


def _counterparty(account_id: str, parties: tuple[str, ...]) -> str | None:
    """Name the other side of a deal between (payer, payee), as this account sees it."""
    if not parties:
        return None
    payer, payee = parties
    return payee if account_id == payer else payer


def _post(
    event: Event,
    place: Place,
    kind: EntryKind = EntryKind.OTHER,
    *,
    parties: tuple[AccountId, ...] = (),
    remark: str | None = None,
) -> list[Change]:
    """Move the balances that the event moves, with one entry for each; open what it opens."""
    posted: list[Change] = []
    total = 0
    for ordinal, change in enumerate(event.changes):
        account: Key = (change.account_id,)
        posted.append(Add(model=ACCOUNTS.name, key=account, deltas={"balance": change.delta}))
        if change.tax_timer is not None:
            started_at = event.timestamp if change.tax_timer is TaxTimer.STARTED else None
            posted.append(_put_account(change.account_id, tax_timer_started_at=started_at))
        if change.delta:
            entry: Row = {
                "kind": _entry_kind(change.account_id, kind.value, parties),
                "delta": change.delta,
                "counterparty": _counterparty(change.account_id, parties),
                "remark": remark,
                "recorded_at": event.timestamp,
                "transaction_id": place.transaction_id,
                "command_id": place.command_id,
            }
            key: Key = (*account, place.block_number, place.position, ordinal)
            posted.append(Append(model=ACCOUNT_ENTRIES.name, key=key, values=entry))
        total += change.delta
    if total:
        posted.append(Add(model=SUPPLY.name, key=SINGLETON_KEY, deltas={"balances": total}))
    return posted


def _put_account(account_id: str, **values: Value) -> Put:
    return Put(model=ACCOUNTS.name, key=(account_id,), values=values)


def _put_status(**values: Value) -> Put:
    return Put(model=SYSTEM_STATUS.name, key=SINGLETON_KEY, values=values)


@folds(CoinsMinted)
def fold_coins_minted(event: CoinsMinted, place: Place) -> list[Change]:
    """Credit the account and count the new coins."""
    minted = Add(model=SUPPLY.name, key=SINGLETON_KEY, deltas={"minted": event.amount})
    return [*_post(event, place, EntryKind.MINT, remark=event.remark), minted]


@folds(CoinsTransferred)
def fold_coins_transferred(event: CoinsTransferred, place: Place) -> list[Change]:
    """Move coins and fee. `gx.projection.transfers` does the same without the typed event."""
    parties = (event.from_id, event.to_id)
    return _post(event, place, EntryKind.TRANSFER, parties=parties, remark=event.remark)


@folds(GenesisDistributed)
def fold_genesis_distributed(event: GenesisDistributed, place: Place) -> list[Change]:
    """Pay the user; count for the user, the country and the whole."""
    parties = (event.pool_source, AccountId(event.user_id))
    return [
        *_post(event, place, EntryKind.GENESIS, parties=parties),
        Put(
            model=USERS.name,
            key=(event.user_id,),
            values={
                "genesis_at": event.timestamp,
                "genesis_phase": event.phase,
                "genesis_amount": event.amount,
            },
        ),
        Add(
            model=COUNTRIES.name,
            key=(event.nationality,),
            deltas={"genesis_users": 1, "genesis_user_amount": event.amount},
        ),
        Put(model=GENESIS.name, key=SINGLETON_KEY, values={"phase": event.phase}),
        Add(
            model=GENESIS.name,
            key=SINGLETON_KEY,
            deltas={"distributed": 1, "user_amount": event.amount},
        ),
    ]


@folds(TreasuryAllocated)
def fold_treasury_allocated(event: TreasuryAllocated, place: Place) -> list[Change]:
    """Pay the treasury; count for the country and the whole."""
    parties = (event.pool_source, event.treasury_id)
    return [
        *_post(event, place, EntryKind.TREASURY, parties=parties),
        Add(
            model=COUNTRIES.name,
            key=(event.nationality,),
            deltas={"genesis_treasury_amount": event.amount},
        ),
        Add(model=GENESIS.name, key=SINGLETON_KEY, deltas={"treasury_amount": event.amount}),
    ]


@folds(FeesCollected)
def fold_fees_collected(event: FeesCollected, place: Place) -> list[Change]:
    """Change nothing: the fund's balance here has every fee from the moment it was paid."""
    return _post(event, place)


@folds(WalletFrozen)
def fold_wallet_frozen(event: WalletFrozen, place: Place) -> list[Change]:
    """Mark the wallet."""
    frozen = _put_account(event.user_id, is_frozen=True, freeze_reason=event.reason)
    return [*_post(event, place), frozen]


@folds(WalletUnfrozen)
def fold_wallet_unfrozen(event: WalletUnfrozen, place: Place) -> list[Change]:
    """Take the mark away."""
    unfrozen = _put_account(event.user_id, is_frozen=False, freeze_reason=None)
    return [*_post(event, place), unfrozen]


@folds(SystemBootstrapped)
def fold_system_bootstrapped(event: SystemBootstrapped, place: Place) -> list[Change]:
    """Open the system accounts and write the parameters; the coins come with CoinsMinted."""
    accounts = [*event.pools, OPERATIONS_FUND]
    return [
        *_post(event, place),
        _put_status(is_bootstrapped=True, bootstrapped_at=event.timestamp),
        *(_put_account(account, kind=AccountKind.SYSTEM.value) for account in accounts),
        *(_put_parameter(name, value, event) for name, value in event.parameters.items()),
    ]


def _put_parameter(name: str, value: str, event: Event) -> Put:
    values: Row = {"value": value, "updated_at": event.timestamp}
    return Put(model=SYSTEM_PARAMETERS.name, key=(name,), values=values)


@folds(CountryDataInitialized)
def fold_country_data_initialized(event: CountryDataInitialized, place: Place) -> list[Change]:
    """Open each country with its locked treasury."""
    opened: list[Change] = _post(event, place)
    for country in event.countries:
        values: Row = {
            "percentage": country.percentage,
            "treasury_id": country.treasury_id,
            "opened_at": event.timestamp,
        }
        opened.append(Put(model=COUNTRIES.name, key=(country.country_code,), values=values))
        opened.append(
            _put_account(
                country.treasury_id,
                kind=AccountKind.TREASURY.value,
                status=AccountStatus.LOCKED.value,
                country=country.country_code,
            )
        )
    return opened


@folds(SystemParameterUpdated)
def fold_system_parameter_updated(event: SystemParameterUpdated, place: Place) -> list[Change]:
    """Write the new value."""
    return [*_post(event, place), _put_parameter(event.id, event.new_value, event)]


@folds(SystemPaused)
def fold_system_paused(event: SystemPaused, place: Place) -> list[Change]:
    """Say that the system is paused, and why."""
    paused = _put_status(is_paused=True, pause_reason=event.reason, paused_at=event.timestamp)
    return [*_post(event, place), paused]


@folds(SystemResumed)
def fold_system_resumed(event: SystemResumed, place: Place) -> list[Change]:
    """Say that the system works again."""
    resumed = _put_status(
        is_paused=False, pause_reason=None, paused_at=None, resumed_at=event.timestamp
    )
    return [*_post(event, place), resumed]


@folds(AdminAppointed)
def fold_admin_appointed(event: AdminAppointed, place: Place) -> list[Change]:
    """List the administrator."""
    values: Row = {"appointed_at": event.timestamp}
    return [*_post(event, place), Put(model=ADMINS.name, key=(event.admin_id,), values=values)]


@folds(TreasuryAccountActivated)
def fold_treasury_account_activated(event: TreasuryAccountActivated, place: Place) -> list[Change]:
    """Let the treasury send."""
    active = _put_account(event.treasury_id, status=AccountStatus.ACTIVE.value)
    return [*_post(event, place), active]


@folds(UserCreated)
def fold_user_created(event: UserCreated, place: Place) -> list[Change]:
    """List the user and the wallet, and count the user for the country."""
    return [
        *_post(event, place),
        Put(
            model=USERS.name,
            key=(event.user_id,),
            values={
                "nationality": event.nationality,
                "age": event.age,
                "status": event.status.value,
                "trust_score": event.trust_score,
                "created_at": event.timestamp,
            },
        ),
        _put_account(
            event.user_id,
            kind=AccountKind.USER.value,
            status=event.status.value,
            country=event.nationality,
        ),
        Add(model=COUNTRIES.name, key=(event.nationality,), deltas={"users": 1}),
    ]


@folds(UserLocked)
def fold_user_locked(event: UserLocked, place: Place) -> list[Change]:
    """Stop the user's account."""
    return [
        *_post(event, place),
        *_put_user_status(event.user_id, AccountStatus.LOCKED, event.reason),
    ]


@folds(UserUnlocked)
def fold_user_unlocked(event: UserUnlocked, place: Place) -> list[Change]:
    """Let the user's account work again."""
    return [*_post(event, place), *_put_user_status(event.user_id, AccountStatus.ACTIVE, None)]


def _put_user_status(user_id: str, status: AccountStatus, reason: str | None) -> list[Change]:
    values: Row = {"status": status.value, "lock_reason": reason}
    return [
        Put(model=USERS.name, key=(user_id,), values=values),
        _put_account(user_id, status=status.value),
    ]
