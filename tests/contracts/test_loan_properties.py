"""What no sequence of commands can break about loans and votes."""

from collections import Counter

from hypothesis import given

from gx.contracts.loans import BorrowerRecord, LoanRecord
from gx.contracts.proposals import ProposalRecord, VoteRecord
from gx.domain.batches import Outcome
from gx.domain.events import Event, SystemParameterUpdated, parse_event
from gx.domain.governance_events import ProposalExecuted, VoteCast
from gx.domain.lending import OPEN_AMOUNT_MAX, OPEN_LOANS_MAX, LoanStatus
from gx.domain.loan_events import LoanApproved, LoanRepaid
from gx.domain.owned_ids import owner_of
from gx.domain.voting import Ballot
from tests.contracts.contract_ledger import ContractLedger
from tests.contracts.random_commands import BATCHES, RoledCalls, item_maker
from tests.contracts.test_properties import a_small_world


def loans_of(ledger: ContractLedger) -> dict[str, LoanRecord]:
    """Read every loan's record by its id."""
    return {
        key.removeprefix("loan_"): LoanRecord.from_text(text)
        for key, text in ledger.ledger.values().items()
        if key.startswith("loan_")
    }


def outstanding(ledger: ContractLedger) -> int:
    """Add up what is owed to the pool."""
    return sum(loan.outstanding for loan in loans_of(ledger).values())


def events_of(outcomes: tuple[Outcome, ...]) -> list[Event]:
    """List the events of a batch."""
    return [parse_event(event) for outcome in outcomes for event in outcome.events]


@given(BATCHES)
def test_what_is_outstanding_is_what_was_paid_out_less_what_came_back(
    batches: list[RoledCalls],
) -> None:
    """To the base unit, after every transaction, as the events tell it."""
    ledger, make = a_small_world(), item_maker()
    owed = outstanding(ledger)
    assert owed > 0

    for role, calls in batches:
        for event in events_of(ledger.batch([make(call) for call in calls], role)):
            if isinstance(event, LoanApproved):
                owed += event.amount
            elif isinstance(event, LoanRepaid):
                owed -= event.amount

        assert outstanding(ledger) == owed


@given(BATCHES)
def test_a_borrower_s_record_counts_the_open_loans(batches: list[RoledCalls]) -> None:
    """How many, and for how much: it is derived, and never beyond the limits."""
    ledger, make = a_small_world(), item_maker()

    for role, calls in batches:
        ledger.batch([make(call) for call in calls], role)

    loans: Counter[str] = Counter()
    amounts: Counter[str] = Counter()
    for loan_id, loan in loans_of(ledger).items():
        if loan.status in (LoanStatus.PENDING, LoanStatus.ACTIVE):
            is_pending = loan.status is LoanStatus.PENDING
            loans[owner_of(loan_id)] += 1
            amounts[owner_of(loan_id)] += loan.amount if is_pending else loan.outstanding
    for key, text in ledger.ledger.values().items():
        if key.startswith("borrower_"):
            name, record = key.removeprefix("borrower_"), BorrowerRecord.from_text(text)
            assert (record.open_loans, record.open_amount) == (loans[name], amounts[name])
            assert record.open_loans <= OPEN_LOANS_MAX
            assert record.open_amount <= OPEN_AMOUNT_MAX


@given(BATCHES)
def test_one_vote_per_actor(batches: list[RoledCalls]) -> None:
    """A tally has exactly the votes that are recorded, and nobody is told to have voted twice."""
    ledger, make = a_small_world(), item_maker()
    told: Counter[tuple[str, str]] = Counter()

    for role, calls in batches:
        for event in events_of(ledger.batch([make(call) for call in calls], role)):
            if isinstance(event, VoteCast):
                told[event.proposal_id, event.voter_id] += 1

    assert not [vote for vote, times in told.items() if times > 1]
    values = ledger.ledger.values()
    for key, text in values.items():
        if key.startswith("proposal_"):
            prefix = f"vote_{key.removeprefix('proposal_')}~"
            votes = [VoteRecord.from_text(values[k]) for k in values if k.startswith(prefix)]
            tally, cast = ProposalRecord.from_text(text).tally, Counter(v.ballot for v in votes)
            assert (tally.votes_for, tally.votes_against, tally.votes_abstain) == (
                cast[Ballot.FOR], cast[Ballot.AGAINST], cast[Ballot.ABSTAIN],
            )  # fmt: skip


@given(BATCHES)
def test_a_proposal_changes_its_parameter_and_no_other(batches: list[RoledCalls]) -> None:
    """Each execution comes with one change, to the value that was proposed."""
    ledger, make = a_small_world(), item_maker()

    for role, calls in batches:
        for outcome in ledger.batch([make(call) for call in calls], role):
            events = events_of((outcome,))
            executed = [event for event in events if isinstance(event, ProposalExecuted)]
            if executed:
                (updated,) = [e for e in events if isinstance(e, SystemParameterUpdated)]
                assert (updated.id, updated.new_value) == (
                    executed[0].target_param,
                    executed[0].new_value,
                )
