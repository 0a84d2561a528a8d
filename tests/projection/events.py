"""One example of every event type, batches of them, and Hypothesis's idea of transfers."""

from typing import Final

from hypothesis import strategies as st

from gx.domain.amounts import AMOUNT_MAX, Amount, Delta
from gx.domain.batches import Outcome, OutcomeKind, encode_outcomes
from gx.domain.codec import JsonObject
from gx.domain.events import (
    AccountChange,
    AccountStatus,
    AdminAppointed,
    CoinsMinted,
    CoinsTransferred,
    CountryDataInitialized,
    CountryOpened,
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
    VelocityTaxApplied,
    WalletFrozen,
    WalletUnfrozen,
)
from gx.domain.identifiers import (
    CHARITABLE_POOL,
    GOVERNMENT_GENESIS_POOL,
    OPERATIONS_FUND,
    USER_GENESIS_POOL,
    AccountId,
    BlockNumber,
    CommandId,
    CountryCode,
    EpochSeconds,
    TransactionId,
    UserId,
)
from gx.domain.refusals import RefusalCode
from gx.domain.relationship_events import RelationshipConfirmed, RelationshipRequested
from gx.domain.relationships import RelationshipId, RelationshipType
from gx.projection.folding import Place
from tests.projection.loan_events import LOAN_EXAMPLES
from tests.projection.organization_events import ORGANIZATION_EXAMPLES

AT: Final = EpochSeconds(1_700_000_000)
ALICE, BOB, US, TREASURY = UserId("alice"), AccountId("bob"), CountryCode("US"), "treasury_US"
PLACE: Final = Place(BlockNumber(7), 3, TransactionId("t7"), CommandId("c3"))


def change(account_id: str, delta: int, tax_timer: TaxTimer | None = None) -> AccountChange:
    """Return one account's part in an event."""
    return AccountChange(account_id=AccountId(account_id), delta=Delta(delta), tax_timer=tax_timer)


EXAMPLES: Final[tuple[Event, ...]] = (
    CoinsMinted(
        timestamp=AT,
        account_id=AccountId(ALICE),
        amount=Amount(150_000_000),
        amount_coins="1",
        remark="Welcome",
        changes=(change("alice", 150_000_000, TaxTimer.STARTED),),
    ),
    FeesCollected(
        timestamp=AT,
        amount=Amount(5),
        keys=1,
        has_more=False,
        changes=(change(OPERATIONS_FUND, 0),),
    ),
    CoinsTransferred(
        timestamp=AT,
        from_id=AccountId(ALICE),
        to_id=BOB,
        amount=Amount(100),
        fee=Amount(5),
        fee_rate_bps=5,
        remark="Lunch",
        changes=(
            change("alice", -105, TaxTimer.CLEARED),
            change("bob", 100),
            change(OPERATIONS_FUND, 5),
        ),
    ),
    GenesisDistributed(
        timestamp=AT,
        user_id=ALICE,
        amount=Amount(500),
        phase=1,
        age=34,
        eligible=True,
        nationality=US,
        pool_source=USER_GENESIS_POOL,
        changes=(change(USER_GENESIS_POOL, -500), change("alice", 500)),
    ),
    TreasuryAllocated(
        timestamp=AT,
        treasury_id=AccountId(TREASURY),
        amount=Amount(50),
        phase=1,
        nationality=US,
        pool_source=GOVERNMENT_GENESIS_POOL,
        changes=(change(GOVERNMENT_GENESIS_POOL, -50), change(TREASURY, 50)),
    ),
    WalletFrozen(timestamp=AT, user_id=ALICE, reason="Reported stolen"),
    WalletUnfrozen(timestamp=AT, user_id=ALICE),
    SystemBootstrapped(
        timestamp=AT,
        pools={USER_GENESIS_POOL: Amount(500)},
        supply=Amount(500),
        parameters={"feeLowerBps": "5"},
        changes=(change(USER_GENESIS_POOL, 0), change(OPERATIONS_FUND, 0)),
    ),
    CountryDataInitialized(
        timestamp=AT,
        countries=(
            CountryOpened(country_code=US, percentage="1.5", treasury_id=AccountId(TREASURY)),
        ),
        changes=(change(TREASURY, 0),),
    ),
    SystemParameterUpdated(timestamp=AT, id="feeLowerBps", old_value="5", new_value="6"),
    SystemPaused(timestamp=AT, reason="Planned upgrade"),
    SystemResumed(timestamp=AT),
    AdminAppointed(timestamp=AT, admin_id=UserId("grace")),
    TreasuryAccountActivated(timestamp=AT, country_code=US, treasury_id=AccountId(TREASURY)),
    UserCreated(
        timestamp=AT,
        user_id=ALICE,
        nationality=US,
        age=34,
        status=AccountStatus.ACTIVE,
        trust_score=10,
        changes=(change("alice", 0),),
    ),
    UserLocked(timestamp=AT, user_id=ALICE, reason="Court order"),
    UserUnlocked(timestamp=AT, user_id=ALICE),
    VelocityTaxApplied(
        timestamp=AT,
        account_id=AccountId("alice"),
        tax_amount=Amount(15),
        tax_rate_bps=300,
        treasury_share=Amount(10),
        charity_share=Amount(5),
        timer_start=AT,
        changes=(
            change("alice", -15, TaxTimer.STARTED),
            change("treasury_US", 10),
            change(CHARITABLE_POOL, 5),
        ),
    ),
    RelationshipRequested(
        timestamp=AT,
        relationship_id=RelationshipId("alice~PARENT~bob"),
        subject_id=ALICE,
        object_id=UserId("bob"),
        type=RelationshipType.PARENT,
    ),
    RelationshipConfirmed(
        timestamp=AT,
        relationship_id=RelationshipId("alice~PARENT~bob"),
        subject_id=ALICE,
        object_id=UserId("bob"),
        type=RelationshipType.PARENT,
        subject_trust_score=40,
        object_trust_score=20,
    ),
    *ORGANIZATION_EXAMPLES,
    *LOAN_EXAMPLES,
)

MINTED: Final = EXAMPLES[0].to_payload()
UNKNOWN: Final[JsonObject] = {"eventType": "CoinsBurned", "schemaVersion": 1, "timestamp": 1}


def a_batch(*outcomes: tuple[JsonObject, ...]) -> str:
    """Return the payload of a batch whose commands had these events; no events: refused."""
    return encode_outcomes(
        tuple(
            Outcome(
                command_id=CommandId(f"c{number}"),
                outcome=OutcomeKind.COMMITTED if events else OutcomeKind.REJECTED,
                code=None if events else RefusalCode.SELF_TRANSFER,
                events=events,
            )
            for number, events in enumerate(outcomes)
        )
    )


ACCOUNT_IDS: Final = st.sampled_from(["alice", "bob", "carol", OPERATIONS_FUND, "treasury_US"])
TEXTS: Final = st.text(st.characters(codec="utf-8"), max_size=8)

CHANGES: Final = st.builds(
    AccountChange,
    account_id=ACCOUNT_IDS.map(AccountId),
    delta=st.integers(-(2**63), 2**63 - 1).map(Delta),
    tax_timer=st.none() | st.sampled_from(TaxTimer),
)

TRANSFERS: Final = st.builds(
    CoinsTransferred,
    timestamp=st.integers(0, 2**40).map(EpochSeconds),
    from_id=ACCOUNT_IDS.map(AccountId),
    to_id=ACCOUNT_IDS.map(AccountId),
    amount=st.integers(0, AMOUNT_MAX).map(Amount),
    fee=st.integers(0, AMOUNT_MAX).map(Amount),
    fee_rate_bps=st.integers(0, 1_000),
    remark=TEXTS,
    changes=st.lists(CHANGES, max_size=4).map(tuple),
)
