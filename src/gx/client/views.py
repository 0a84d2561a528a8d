"""What the API answers to queries, as values. Amounts are base units; times are epoch seconds.

Unknown fields of a newer API are ignored.
"""

from dataclasses import dataclass

from gx.domain.amounts import Amount, Delta
from gx.domain.codec import Record
from gx.domain.identifiers import (
    AccountId,
    BlockNumber,
    CommandId,
    CountryCode,
    EpochSeconds,
    TransactionId,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemStatus(Record):
    """Whether the system takes commands."""

    is_bootstrapped: bool
    is_paused: bool
    pause_reason: str | None = None
    bootstrapped_at: EpochSeconds | None = None
    paused_at: EpochSeconds | None = None
    resumed_at: EpochSeconds | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Country(Record):
    """An open country: its share in per cent, its users, its genesis coins."""

    country_code: CountryCode
    percentage: str
    treasury_id: AccountId
    users: int
    genesis_users: int
    genesis_user_amount: Amount
    genesis_treasury_amount: Amount
    opened_at: EpochSeconds | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemParameter(Record):
    """One system parameter; `value` is a decimal string."""

    id: str
    value: str
    unit: str | None = None
    updated_at: EpochSeconds | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GlobalCounters(Record):
    """Sums over everything."""

    users: int
    countries: int
    genesis_distributed: int
    minted: Amount


@dataclass(frozen=True, slots=True, kw_only=True)
class User(Record):
    """A registered user."""

    user_id: str
    nationality: CountryCode
    age: int
    status: str
    trust_score: int
    created_at: EpochSeconds | None = None
    lock_reason: str | None = None
    genesis_at: EpochSeconds | None = None
    genesis_phase: int = 0
    genesis_amount: Amount = Amount(0)  # noqa: RUF009 (an immutable number)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trust(Record):
    """A user's trust score, 0 to 100."""

    user_id: str
    trust_score: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Relationship(Record):
    """What one person is to another; it counts once it is confirmed."""

    relationship_id: str
    subject_id: str
    object_id: str
    type: str
    status: str
    requested_at: EpochSeconds | None = None
    confirmed_at: EpochSeconds | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Account(Record):
    """An account: its balance, what it is for, and whether it may send."""

    account_id: AccountId
    balance: Amount
    kind: str
    status: str
    is_frozen: bool
    freeze_reason: str | None = None
    country: CountryCode | None = None
    tax_timer_started_at: EpochSeconds | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountEntry(Record):
    """One change of an account's balance; `delta` is negative where coins left."""

    account_id: AccountId
    block_number: BlockNumber
    position: int
    ordinal: int
    kind: str
    delta: Delta
    recorded_at: EpochSeconds
    transaction_id: TransactionId
    counterparty: str | None = None
    remark: str | None = None
    command_id: CommandId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Loan(Record):
    """A loan; `trust_score` is what the borrower's was at the application."""

    loan_id: str
    borrower_id: str
    amount: Amount
    outstanding: Amount
    repaid: Amount
    status: str
    collateral_hash: str
    trust_score: int
    applied_at: EpochSeconds
    decided_at: EpochSeconds | None = None
    reject_reason: str | None = None
    repaid_at: EpochSeconds | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal(Record):
    """A proposal to give a system parameter another value, with its votes so far."""

    proposal_id: str
    target_param: str
    new_value: str
    title: str
    proposer_id: str
    status: str
    submitted_at: EpochSeconds
    votes_for: int
    votes_against: int
    votes_abstain: int
    ends_at: EpochSeconds | None = None
    decided_at: EpochSeconds | None = None
    reject_reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Supply(Record):
    """All coins: ever minted, the cap, and what all accounts hold together."""

    minted: Amount
    cap: Amount
    balances: Amount


@dataclass(frozen=True, slots=True, kw_only=True)
class TransactionFee(Record):
    """What a transfer would cost its sender: `total` is amount and fee."""

    from_id: AccountId
    to_id: AccountId
    amount: Amount
    fee: Amount
    fee_rate_bps: int
    is_cross_border: bool
    total: Amount


@dataclass(frozen=True, slots=True, kw_only=True)
class VelocityTaxStanding(Record):
    """Whether an account's velocity tax is due at `as_of`, and how much it would be.

    The shares sum to `tax_amount`, which is 0 where no tax can fall due.
    """

    account_id: AccountId
    balance: Amount
    threshold: Amount
    is_exempt: bool
    is_eligible: bool
    as_of: EpochSeconds
    tax_amount: Amount
    tax_rate_bps: int
    treasury_share: Amount
    charity_share: Amount
    timer_start: EpochSeconds | None = None
    due_at: EpochSeconds | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Genesis(Record):
    """How far the genesis distribution has come; `phase` is the next user's, None at its end."""

    distributed: int
    remaining: int
    phase: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Pools(Record):
    """The system accounts that exist, and the genesis distribution."""

    pools: tuple[Account, ...]
    genesis: Genesis
