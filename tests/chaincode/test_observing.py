"""Whoever hosts the contracts is told of each call: what ran, how it ended, when it began."""

from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count

import pytest

from gx.chaincode.executor import Executor
from gx.chaincode.observing import Ending
from gx.domain.batches import BATCH_FUNCTION, BatchItem, encode_items
from gx.domain.identifiers import CommandId
from gx.domain.roles import LedgerRole
from tests.chaincode.dict_stub import DictLedger
from tests.chaincode.toy_contract import a_registry

SUCCESS, REFUSED, ERROR = Ending.SUCCESS, Ending.REFUSED, Ending.ERROR


@dataclass
class Watcher:
    """Notes what it is told."""

    ended: list[tuple[str, Ending, float]] = field(default_factory=list)
    moments: "count[int]" = field(default_factory=count)

    def begin(self) -> float:
        """Number the calls in the order in which they begin."""
        return float(next(self.moments))

    def end(self, function: str, ending: Ending, begun: float) -> None:
        """Note the call."""
        self.ended.append((function, ending, begun))


def call(function: str, *args: str) -> list[tuple[str, Ending, float]]:
    """Make one call on an empty ledger; return what the watcher was told."""
    watcher = Watcher()
    stub = DictLedger().begin(LedgerRole.ADMIN)
    with suppress(ZeroDivisionError):  # what Toy:Crash raises
        Executor(a_registry(), observer=watcher).execute(stub, function, args)
    return watcher.ended


def a_batch(*functions: str) -> str:
    """Write a batch that calls each function for apples."""
    return encode_items(
        tuple(
            BatchItem(
                command_id=CommandId(str(number)),
                key=str(number),
                function=function,
                args=("apples", "60"),
                actor="grace",
            )
            for number, function in enumerate(functions)
        )
    )


@pytest.mark.parametrize(
    ("function", "args", "ending"),
    [
        ("Toy:Count", ("apples", "1"), SUCCESS),
        ("Toy:Count", ("apples", "101"), REFUSED),
        ("Toy:Crash", ("apples", "1"), ERROR),
        ("Toy:Read", ("apples",), REFUSED),
        ("Toy:Nothing", (), REFUSED),
        (BATCH_FUNCTION, (), REFUSED),
    ],
)
def test_a_call_is_seen_with_its_ending(
    function: str, args: tuple[str, ...], ending: Ending
) -> None:
    """Commands, queries and inventions alike; a defect is an error and no refusal."""
    assert call(function, *args) == [(function, ending, 0.0)]


def test_each_command_of_a_batch_is_a_call_of_its_own() -> None:
    """In order, with its own ending, inside the batch's call."""
    told = call(BATCH_FUNCTION, a_batch("Toy:Count", "Toy:Count", "Toy:Nothing"))

    assert told == [
        ("Toy:Count", SUCCESS, 1.0),
        ("Toy:Count", REFUSED, 2.0),
        ("Toy:Nothing", REFUSED, 3.0),
        (BATCH_FUNCTION, SUCCESS, 0.0),
    ]


def test_a_defect_inside_a_batch_is_the_command_s_and_the_batch_s() -> None:
    """What comes after it never ran and is not counted."""
    told = call(BATCH_FUNCTION, a_batch("Toy:Count", "Toy:Crash", "Toy:Count"))

    assert [(function, ending) for function, ending, _ in told] == [
        ("Toy:Count", SUCCESS),
        ("Toy:Crash", ERROR),
        (BATCH_FUNCTION, ERROR),
    ]


def test_a_command_that_is_answered_from_its_record_did_not_run() -> None:
    """The second send of a key calls no function."""
    ledger, watcher = DictLedger(), Watcher()
    executor = Executor(a_registry(), observer=watcher)
    for _ in range(2):
        stub = ledger.begin(LedgerRole.ADMIN)
        executor.execute(stub, BATCH_FUNCTION, [a_batch("Toy:Count")])
        assert stub.commit()

    assert [function for function, _, _ in watcher.ended].count("Toy:Count") == 1
