"""The invariants under attack: random batches of every command, time, pauses, two endorsers.

`make invariants` runs it long and prints how many steps it took.
"""

import os
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from typing_extensions import override

from gx.domain.batches import BatchItem, Outcome, OutcomeKind
from gx.domain.catalogue import COMMANDS, COMMANDS_BY_FUNCTION
from gx.domain.identifiers import EpochSeconds
from gx.domain.refusals import RefusalCode
from gx.domain.roles import LedgerRole
from tests.chaincode.dict_stub import DictStub
from tests.contracts.contract_ledger import ContractLedger
from tests.invariants.books import Books
from tests.invariants.replaying import Replay
from tests.invariants.strategies import STRATEGIES, Seen, batches
from tests.invariants.world import a_world

EXAMPLES: Final = int(os.environ.get("GX_INVARIANT_EXAMPLES", "25"))  # noqa: TID251 (tests have no settings)
STEPS: Final = int(os.environ.get("GX_INVARIANT_STEPS", "30"))  # noqa: TID251 (tests have no settings)
DAYS: Final = (1, 14, 15, 360)

TAKEN: Final[Counter[str]] = Counter()
"""Steps, commands and outcomes of the whole run, for its report."""


class Machine(RuleBasedStateMachine):
    """Two ledgers that are told the same, the books of what they told, and read models."""

    def __init__(self) -> None:
        super().__init__()
        self.one, self.two = a_world(), a_world()
        self.seen, self.books, self.replay = Seen(), Books(), Replay()
        self.replay.read(self.one.ledger.events)
        earlier = self.replay.outcomes()
        self.books.take(earlier)
        for outcome in earlier:
            for event in outcome.events:
                self.seen.note(event)
        self.number = 0

    @rule(days=st.sampled_from(DAYS))
    def let_time_pass(self, days: int) -> None:
        """Votes end, taxes fall due."""
        TAKEN["steps"] += 1
        for ledger in (self.one, self.two):
            ledger.ledger.now_s = EpochSeconds(ledger.ledger.now_s + days * 86_400)

    @rule(data=st.data())
    def run_a_batch(self, data: st.DataObject) -> None:
        """Both endorsers say the same, refusals write nothing, and the books are kept."""
        TAKEN["steps"] += 1
        self.number += 1
        role, items = data.draw(batches(self.seen, self.number))
        is_paused, before = self.books.is_paused, self.one.ledger.values()
        stubs = self.one.simulate(items, role), self.two.simulate(items, role)
        assert endorsed(stubs[0]) == endorsed(stubs[1])
        assert all(stub.commit() for stub in stubs)
        outcomes = self.replay.read(self.one.ledger.events)
        self.check_refusals(stubs[0], items, role, outcomes)
        if is_paused:
            check_pause(items, outcomes, before, self.one.ledger.values())
        self.note(outcomes)

    def note(self, outcomes: Sequence[Outcome]) -> None:
        """Remember what there is now."""
        self.books.take(outcomes)
        self.seen.is_paused = self.books.is_paused
        for outcome in outcomes:
            TAKEN[f"commands {outcome.outcome.value}"] += 1
            for event in outcome.events:
                TAKEN[f"event {event['eventType']}"] += 1
                self.seen.note(event)

    def check_refusals(
        self,
        stub: DictStub,
        items: Sequence[BatchItem],
        role: LedgerRole,
        outcomes: Sequence[Outcome],
    ) -> None:
        """Without the refused commands the transaction writes the same, but for their records."""
        pairs = list(zip(items, outcomes, strict=True))
        refused = {f"cmd_{item.key}" for item, outcome in pairs if is_refused(outcome)}
        kept = [item for item, outcome in pairs if not is_refused(outcome)]
        others = {key: text for key, text in stub.writes.items() if key not in refused}
        assert refused <= stub.writes.keys()
        if not kept:
            assert not others
            return
        again = alone(stub, kept, role)
        assert others == again.writes

    @invariant()
    def the_books_agree_with_the_ledger(self) -> None:
        """Supply, balances, payments, votes and loans."""
        self.books.check(self.one.ledger.values())

    @override
    def teardown(self) -> None:
        """Read models folded on the way are those of a replay from block 0."""
        self.replay.check()
        self.replay.check_balances(self.books.held)


def endorsed(stub: DictStub) -> object:
    """Return what peers compare: reads, writes in order, and the event."""
    return stub.reads, stub.ranges, list(stub.writes.items()), stub.event


def is_refused(outcome: Outcome) -> bool:
    """Tell whether the command took no effect."""
    return outcome.outcome is OutcomeKind.REJECTED


def alone(stub: DictStub, items: Sequence[BatchItem], role: LedgerRole) -> DictStub:
    """Simulate these commands on the state that `stub` saw, under its transaction id."""
    ledger = ContractLedger()
    ledger.ledger.state = dict(stub.snapshot)
    ledger.ledger.now_s = stub.timestamp_s
    ledger.ledger.transactions = int(stub.transaction_id, 16) - 1
    return ledger.simulate(items, role)


def check_pause(
    items: Sequence[BatchItem],
    outcomes: Sequence[Outcome],
    before: dict[str, str],
    after: dict[str, str],
) -> None:
    """While the system is paused nothing takes effect before somebody resumes it."""
    for item, outcome in zip(items, outcomes, strict=True):
        spec = COMMANDS_BY_FUNCTION[item.function]
        if spec.is_allowed_while_paused and not is_refused(outcome):
            return
        assert is_refused(outcome), f"{spec.wire_name} took effect during a pause"
        assert outcome.code in (RefusalCode.SYSTEM_PAUSED, RefusalCode.ROLE_REQUIRED) or (
            spec.is_allowed_while_paused
        )
    changed = {key for key in {*before, *after} if before.get(key) != after.get(key)}
    assert all(key.startswith("cmd_") for key in changed)


@pytest.fixture
def report() -> Iterator[None]:
    """Print what the run did."""
    TAKEN.clear()
    yield
    counts = ", ".join(
        f"{count} {name}" for name, count in sorted(TAKEN.items()) if name != "steps"
    )
    sys.stdout.write(f"\n{TAKEN['steps']} steps: {counts}\n")


@pytest.mark.timeout(3_600)
@pytest.mark.usefixtures("report")
def test_no_interleaving_of_commands_breaks_an_invariant() -> None:
    """Whatever is sent in whatever order, by whom, and however long it takes."""
    run_state_machine_as_test(
        Machine,
        settings=settings(max_examples=EXAMPLES, stateful_step_count=STEPS, deadline=None),
    )

    assert TAKEN["commands COMMITTED"] > 0
    assert TAKEN["commands REJECTED"] > 0


def test_every_command_joins() -> None:
    """A command that the machine does not draw is one whose invariants nobody attacks."""
    assert COMMANDS.keys() - STRATEGIES.keys() == set()
