"""What is stored as an answer is held against the ledger's, of repeated commands too."""

from typing import Final

import pytest

from gx.domain.batches import Outcome, OutcomeKind
from gx.domain.identifiers import CommandId
from tests.chaos.checker import agrees
from tests.chaos.recount import Answered

COMMAND: Final = CommandId("c")
FIRST: Final = Outcome(command_id=COMMAND, outcome=OutcomeKind.COMMITTED)
REPEATED: Final = Outcome(command_id=COMMAND, outcome=OutcomeKind.COMMITTED, duplicate_of="earlier")
PLACES: Final = {"earlier": 3, "another": 5}


def a_row(transaction_id: str, block_number: int, outcome: str = "COMMITTED") -> dict[str, object]:
    """A stored answer."""
    return {
        "outcome": outcome,
        "code": None,
        "transaction_id": transaction_id,
        "block_number": block_number,
    }


def test_an_answer_stands_with_its_own_transaction_and_block() -> None:
    """Nothing else is taken for it."""
    answer = Answered(FIRST, "now", 9)

    assert agrees(a_row("now", 9), answer, PLACES)
    assert not agrees(a_row("now", 8), answer, PLACES)
    assert not agrees(a_row("earlier", 9), answer, PLACES)
    assert not agrees(a_row("now", 9, outcome="REJECTED"), answer, PLACES)


@pytest.mark.parametrize("block_number", [3, 9])
def test_a_repeated_command_stands_with_where_it_took_effect(block_number: int) -> None:
    """In the earlier transaction; in its block, or in that of the answer."""
    assert agrees(a_row("earlier", block_number), Answered(REPEATED, "now", 9), PLACES)


@pytest.mark.parametrize("row", [a_row("now", 9), a_row("another", 5), a_row("earlier", 5)])
def test_a_repeated_command_stands_nowhere_else(row: dict[str, object]) -> None:
    """Not with any transaction, nor with any block."""
    assert not agrees(row, Answered(REPEATED, "now", 9), PLACES)
