"""One pure function for each event type: what the event changes in the read models.

A fold reads nothing but the event and its place; `gx.projection.folding` has the register.
"""

from gx.domain.events import (
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
    TreasuryAccountActivated,
    TreasuryAllocated,
    UserCreated,
    UserLocked,
    UserUnlocked,
    VelocityTaxApplied,
    WalletFrozen,
    WalletUnfrozen,
)
from gx.domain.identifiers import OPERATIONS_FUND, AccountId
from gx.domain.world_state import AccountKind
from gx.projection import governance_folds, identity_folds, loan_folds, organization_folds
from gx.projection.changes import Add, Change, Put, Row, Value
from gx.projection.folding import Place, assert_complete, fold, folds, post, put_account
from gx.projection.read_models import (
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

__all__ = [
    "assert_complete",
    "fold",
    "governance_folds",
    "identity_folds",
    "loan_folds",
    "organization_folds",
]
"""Through this module every fold is registered; what makes folds is in `folding`."""


def _put_status(**values: Value) -> Put:
    return Put(model=SYSTEM_STATUS.name, key=SINGLETON_KEY, values=values)


@folds(CoinsMinted)
def fold_coins_minted(event: CoinsMinted, place: Place) -> list[Change]:
    """Credit the account and count the new coins."""
    minted = Add(model=SUPPLY.name, key=SINGLETON_KEY, deltas={"minted": event.amount})
    return [*post(event, place, EntryKind.MINT, remark=event.remark), minted]


@folds(CoinsTransferred)
def fold_coins_transferred(event: CoinsTransferred, place: Place) -> list[Change]:
    """Move coins and fee. `gx.projection.transfers` does the same without the typed event."""
    parties = (event.from_id, event.to_id)
    return post(event, place, EntryKind.TRANSFER, parties=parties, remark=event.remark)


@folds(GenesisDistributed)
def fold_genesis_distributed(event: GenesisDistributed, place: Place) -> list[Change]:
    """Pay the user; count for the user, the country and the whole."""
    parties = (event.pool_source, AccountId(event.user_id))
    return [
        *post(event, place, EntryKind.GENESIS, parties=parties),
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
        *post(event, place, EntryKind.TREASURY, parties=parties),
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
    return post(event, place)


@folds(WalletFrozen)
def fold_wallet_frozen(event: WalletFrozen, place: Place) -> list[Change]:
    """Mark the wallet."""
    frozen = put_account(event.user_id, is_frozen=True, freeze_reason=event.reason)
    return [*post(event, place), frozen]


@folds(WalletUnfrozen)
def fold_wallet_unfrozen(event: WalletUnfrozen, place: Place) -> list[Change]:
    """Take the mark away."""
    unfrozen = put_account(event.user_id, is_frozen=False, freeze_reason=None)
    return [*post(event, place), unfrozen]


@folds(SystemBootstrapped)
def fold_system_bootstrapped(event: SystemBootstrapped, place: Place) -> list[Change]:
    """Open the system accounts and write the parameters; the coins come with CoinsMinted."""
    accounts = [*event.pools, OPERATIONS_FUND]
    return [
        *post(event, place),
        _put_status(is_bootstrapped=True, bootstrapped_at=event.timestamp),
        *(put_account(account, kind=AccountKind.SYSTEM.value) for account in accounts),
        *(_put_parameter(name, value, event) for name, value in event.parameters.items()),
    ]


def _put_parameter(name: str, value: str, event: Event) -> Put:
    values: Row = {"value": value, "updated_at": event.timestamp}
    return Put(model=SYSTEM_PARAMETERS.name, key=(name,), values=values)


@folds(CountryDataInitialized)
def fold_country_data_initialized(event: CountryDataInitialized, place: Place) -> list[Change]:
    """Open each country with its locked treasury."""
    opened: list[Change] = post(event, place)
    for country in event.countries:
        values: Row = {
            "percentage": country.percentage,
            "treasury_id": country.treasury_id,
            "opened_at": event.timestamp,
        }
        opened.append(Put(model=COUNTRIES.name, key=(country.country_code,), values=values))
        opened.append(
            put_account(
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
    return [*post(event, place), _put_parameter(event.id, event.new_value, event)]


@folds(SystemPaused)
def fold_system_paused(event: SystemPaused, place: Place) -> list[Change]:
    """Say that the system is paused, and why."""
    paused = _put_status(is_paused=True, pause_reason=event.reason, paused_at=event.timestamp)
    return [*post(event, place), paused]


@folds(SystemResumed)
def fold_system_resumed(event: SystemResumed, place: Place) -> list[Change]:
    """Say that the system works again."""
    resumed = _put_status(
        is_paused=False, pause_reason=None, paused_at=None, resumed_at=event.timestamp
    )
    return [*post(event, place), resumed]


@folds(AdminAppointed)
def fold_admin_appointed(event: AdminAppointed, place: Place) -> list[Change]:
    """List the administrator."""
    values: Row = {"appointed_at": event.timestamp}
    return [*post(event, place), Put(model=ADMINS.name, key=(event.admin_id,), values=values)]


@folds(TreasuryAccountActivated)
def fold_treasury_account_activated(event: TreasuryAccountActivated, place: Place) -> list[Change]:
    """Let the treasury send."""
    active = put_account(event.treasury_id, status=AccountStatus.ACTIVE.value)
    return [*post(event, place), active]


@folds(UserCreated)
def fold_user_created(event: UserCreated, place: Place) -> list[Change]:
    """List the user and the wallet, and count the user for the country."""
    return [
        *post(event, place),
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
        put_account(
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
        *post(event, place),
        *_put_user_status(event.user_id, AccountStatus.LOCKED, event.reason),
    ]


@folds(UserUnlocked)
def fold_user_unlocked(event: UserUnlocked, place: Place) -> list[Change]:
    """Let the user's account work again."""
    return [*post(event, place), *_put_user_status(event.user_id, AccountStatus.ACTIVE, None)]


def _put_user_status(user_id: str, status: AccountStatus, reason: str | None) -> list[Change]:
    values: Row = {"status": status.value, "lock_reason": reason}
    return [
        Put(model=USERS.name, key=(user_id,), values=values),
        put_account(user_id, status=status.value),
    ]


@folds(VelocityTaxApplied)
def fold_velocity_tax_applied(event: VelocityTaxApplied, place: Place) -> list[Change]:
    """Move the tax; the holder's timer follows from the change of the holder's account."""
    others = [item.account_id for item in event.changes if item.account_id != event.account_id]
    parties = (event.account_id, others[0]) if others else ()
    return post(event, place, EntryKind.TAX, parties=parties)
