"""Facts recorded on the ledger, in the past tense, each with its wire name and its fields.

What they have in common is in `gx.domain.event_form`; `EVENTS` is the only list of them.
"""

from dataclasses import dataclass
from typing import ClassVar, Final

from gx.domain.amounts import Amount
from gx.domain.codec import DecodeError, JsonObject, Record
from gx.domain.event_form import (
    AccountChange as AccountChange,  # noqa: PLC0414 (a meant re-export)
)
from gx.domain.event_form import (
    AccountStatus as AccountStatus,  # noqa: PLC0414 (a meant re-export)
)
from gx.domain.event_form import (
    Event as Event,  # noqa: PLC0414 (a meant re-export)
)
from gx.domain.event_form import (
    TaxTimer as TaxTimer,  # noqa: PLC0414 (a meant re-export)
)
from gx.domain.governance_events import GOVERNANCE_EVENTS
from gx.domain.identifiers import AccountId, CountryCode, EpochSeconds, UserId
from gx.domain.loan_events import LOAN_EVENTS
from gx.domain.organization_events import ORGANIZATION_EVENTS
from gx.domain.relationship_events import RelationshipConfirmed, RelationshipRequested
from gx.domain.versions import read_version


@dataclass(frozen=True, slots=True, kw_only=True)
class CoinsMinted(Event):
    """Coins came into being on one account."""

    WIRE_NAME: ClassVar[str] = "CoinsMinted"

    account_id: AccountId
    amount: Amount
    amount_coins: str
    """Whole coins, the rest cut off; a decimal string."""
    remark: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CoinsTransferred(Event):
    """Coins moved from one account to another, and the fee to the operations fund."""

    WIRE_NAME: ClassVar[str] = "TransferEvent"

    from_id: AccountId
    to_id: AccountId
    amount: Amount
    fee: Amount
    fee_rate_bps: int
    remark: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GenesisDistributed(Event):
    """A user received the genesis coins of the current phase."""

    WIRE_NAME: ClassVar[str] = "GenesisDistributed"

    user_id: UserId
    amount: Amount
    phase: int
    age: int
    eligible: bool
    nationality: CountryCode
    pool_source: AccountId


@dataclass(frozen=True, slots=True, kw_only=True)
class TreasuryAllocated(Event):
    """A country's treasury received its part of a user's genesis."""

    WIRE_NAME: ClassVar[str] = "TreasuryAllocated"

    treasury_id: AccountId
    amount: Amount
    phase: int
    nationality: CountryCode
    pool_source: AccountId


@dataclass(frozen=True, slots=True, kw_only=True)
class FeesCollected(Event):
    """Fee income moved into the operations fund's record; `has_more` if some was left."""

    WIRE_NAME: ClassVar[str] = "FeesCollected"

    amount: Amount
    keys: int
    """How many ledger transactions had collected it."""
    has_more: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class WalletFrozen(Event):
    """A user's wallet can neither send nor receive."""

    WIRE_NAME: ClassVar[str] = "WalletFrozen"

    user_id: UserId
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WalletUnfrozen(Event):
    """A user's wallet works again."""

    WIRE_NAME: ClassVar[str] = "WalletUnfrozen"

    user_id: UserId


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemBootstrapped(Event):
    """The pools and the system parameters exist."""

    WIRE_NAME: ClassVar[str] = "SystemBootstrapped"

    pools: dict[str, Amount]
    supply: Amount
    parameters: dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class CountryOpened(Record):
    """One country's share of the system, in per cent as a decimal string."""

    country_code: CountryCode
    percentage: str
    treasury_id: AccountId


@dataclass(frozen=True, slots=True, kw_only=True)
class CountryDataInitialized(Event):
    """Countries were opened, each with a locked treasury."""

    WIRE_NAME: ClassVar[str] = "CountryDataInitialized"

    countries: tuple[CountryOpened, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemParameterUpdated(Event):
    """A system parameter has another value."""

    WIRE_NAME: ClassVar[str] = "SystemParameterUpdated"

    id: str
    old_value: str
    new_value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemPaused(Event):
    """Every write but ResumeSystem is refused from here on."""

    WIRE_NAME: ClassVar[str] = "SystemPaused"

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemResumed(Event):
    """Writes are taken again."""

    WIRE_NAME: ClassVar[str] = "SystemResumed"


@dataclass(frozen=True, slots=True, kw_only=True)
class AdminAppointed(Event):
    """Somebody was recorded as an administrator."""

    WIRE_NAME: ClassVar[str] = "AdminAppointed"

    admin_id: UserId


@dataclass(frozen=True, slots=True, kw_only=True)
class TreasuryAccountActivated(Event):
    """A country's treasury may send."""

    WIRE_NAME: ClassVar[str] = "TreasuryAccountActivated"

    country_code: CountryCode
    treasury_id: AccountId


@dataclass(frozen=True, slots=True, kw_only=True)
class UserCreated(Event):
    """A user exists, with a wallet under the same id."""

    WIRE_NAME: ClassVar[str] = "UserCreated"

    user_id: UserId
    nationality: CountryCode
    age: int
    status: AccountStatus
    trust_score: int


@dataclass(frozen=True, slots=True, kw_only=True)
class UserLocked(Event):
    """A user may not send."""

    WIRE_NAME: ClassVar[str] = "UserLocked"

    user_id: UserId
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UserUnlocked(Event):
    """A user may send again."""

    WIRE_NAME: ClassVar[str] = "UserUnlocked"

    user_id: UserId


@dataclass(frozen=True, slots=True, kw_only=True)
class VelocityTaxApplied(Event):
    """A balance was taxed that its holder had kept for too long; both shares sum to the tax."""

    WIRE_NAME: ClassVar[str] = "VelocityTaxApplied"

    account_id: AccountId
    tax_amount: Amount
    tax_rate_bps: int
    treasury_share: Amount
    charity_share: Amount
    timer_start: EpochSeconds | None = None
    """From when the next period counts; left out if what is left is below the threshold."""


_DECLARED: Final[tuple[type[Event], ...]] = (
    CoinsMinted,
    CoinsTransferred,
    GenesisDistributed,
    TreasuryAllocated,
    FeesCollected,
    WalletFrozen,
    WalletUnfrozen,
    SystemBootstrapped,
    CountryDataInitialized,
    SystemParameterUpdated,
    SystemPaused,
    SystemResumed,
    AdminAppointed,
    TreasuryAccountActivated,
    UserCreated,
    UserLocked,
    UserUnlocked,
    VelocityTaxApplied,
    RelationshipRequested,
    RelationshipConfirmed,
    *LOAN_EVENTS,
    *GOVERNANCE_EVENTS,
    *ORGANIZATION_EVENTS,
)

EVENTS: Final[dict[str, type[Event]]] = {event.WIRE_NAME: event for event in _DECLARED}
"""Every event type by its wire name: the only list of them."""


class UnknownEventError(DecodeError):
    """An event's type is not known here."""


def parse_event(payload: JsonObject) -> Event:
    """Read one event from its payload.

    Raises:
        UnknownEventError: no such type.
        NewerVersionError: its fields mean what only a newer release knows.
        DecodeError: a field is missing or has another type.
    """
    name = payload.get("eventType")
    event_type = EVENTS.get(name) if isinstance(name, str) else None
    if event_type is None:
        raise UnknownEventError(f"event type {name!r} is unknown to this version")
    newest = event_type.SCHEMA_VERSION
    read_version(payload.get("schemaVersion"), what=event_type.WIRE_NAME, newest=newest)
    return event_type.from_wire(payload)
