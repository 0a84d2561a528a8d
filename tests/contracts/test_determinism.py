"""Every endorser computes the same: same bytes, whatever the process."""

import subprocess
import sys
from pathlib import Path

from hypothesis import given

from gx.domain.codec import digest
from tests.chaincode.dict_stub import DictStub
from tests.contracts.contract_ledger import ContractLedger
from tests.contracts.random_commands import BATCHES, RoledCalls, item_maker
from tests.contracts.test_properties import a_small_world

ROOT = Path(__file__).parents[2]
PROGRAM = """
from tests.contracts.test_determinism import digest_of_a_busy_ledger
print(digest_of_a_busy_ledger())
"""


def endorsed(stub: DictStub) -> tuple[list[tuple[str, str | None]], tuple[str, str] | None]:
    """Return what the peers compare: writes in order, and the event."""
    return list(stub.writes.items()), stub.event


def digest_of_a_busy_ledger() -> str:
    """Run bootstrap, countries, users, mints and a payment; hash state and events."""
    ledger = a_small_world()
    return digest([dict(ledger.ledger.values()), [list(event) for event in ledger.ledger.events]])


@given(BATCHES)
def test_two_peers_endorse_the_same(batches: list[RoledCalls]) -> None:
    """The same batch on two equal states gives the same write set and the same event."""
    first, make_first = a_small_world(), item_maker()
    second, make_second = a_small_world(), item_maker()

    for role, calls in batches:
        one = first.simulate([make_first(call) for call in calls], role)
        two = second.simulate([make_second(call) for call in calls], role)

        assert endorsed(one) == endorsed(two)
        assert (one.reads, one.ranges) == (two.reads, two.ranges)
        assert one.commit()
        assert two.commit()


def test_no_process_has_an_order_of_its_own() -> None:
    """Processes with other hash seeds iterate sets differently; the ledger must not show it."""
    digests = {
        subprocess.run(
            [sys.executable, "-c", PROGRAM],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": f"{ROOT}:{ROOT / 'src'}"},
            check=True,
            capture_output=True,
            text=True,
        ).stdout.strip()
        for seed in ("1", "2", "3")
    }

    assert digests == {digest_of_a_busy_ledger()}


def test_a_simulation_leaves_the_ledger_alone() -> None:
    """Endorsing changes nothing; only a commit does."""
    ledger = ContractLedger()
    ledger.ledger.begin().put_states({"a": "1"})

    assert ledger.ledger.values() == {}
