"""The newest blocks are kept for streams: whole runs up to the tip, or none."""

import pytest

from gx.ledger.local.blocks import NO_HASH, StoredBlock
from gx.ledger.local.chain import Tip
from gx.ledger.local.tips import RECENT_BYTES_MAX, TipBoard


def tip_at(newest: int) -> Tip:
    """Make a tip with this newest block."""
    return Tip(
        height=newest + 1, hash=NO_HASH, newest_timestamp_ms=0, savepoint=-1, state_keys=0
    )  # fmt: skip


def blocks(first: int, last: int, *, size: int = 10) -> list[StoredBlock]:
    """Make blocks of this many bytes."""
    return [
        StoredBlock(number, NO_HASH, NO_HASH, b"", bytes(size)) for number in range(first, last + 1)
    ]


def numbers(board: TipBoard, first: int) -> list[int]:
    """List what a stream that wants `first` next is given."""
    return [block.number for block in board.blocks_from(first)]


def test_a_stream_is_given_everything_from_its_place_to_the_tip() -> None:
    """It sends what it is given, and goes on behind it."""
    board = TipBoard(tip_at(4), NO_HASH)
    board.advance(tip_at(7), None, blocks(5, 7))
    board.advance(tip_at(8), None, blocks(8, 8))

    assert numbers(board, 5) == [5, 6, 7, 8]
    assert numbers(board, 8) == [8]


@pytest.mark.parametrize("first", [0, 4])
def test_what_was_there_before_comes_from_the_file(first: int) -> None:
    """Fault: a stream that begins at the first block that is kept, and misses those before."""
    board = TipBoard(tip_at(4), NO_HASH)
    board.advance(tip_at(7), None, blocks(5, 7))

    assert numbers(board, first) == []


def test_only_so_many_bytes_are_kept() -> None:
    """The oldest go first, and a stream that is behind them reads the file."""
    board = TipBoard(tip_at(-1), NO_HASH)
    board.advance(tip_at(5), None, blocks(0, 5, size=RECENT_BYTES_MAX // 4))

    assert numbers(board, 1) == []
    assert numbers(board, 2) == [2, 3, 4, 5]


def test_a_block_that_is_too_large_to_keep_is_not_kept() -> None:
    """Nor anything before it: a run with a hole is no run."""
    board = TipBoard(tip_at(-1), NO_HASH)
    board.advance(tip_at(1), None, [*blocks(0, 0), *blocks(1, 1, size=RECENT_BYTES_MAX + 1)])

    assert numbers(board, 0) == []
    assert numbers(board, 1) == []


def test_a_hole_is_never_bridged() -> None:
    """A group whose doubtful commit turned out to be in the file is shown without its blocks."""
    board = TipBoard(tip_at(-1), NO_HASH)
    board.advance(tip_at(1), None, blocks(0, 1))
    board.advance(tip_at(5), None, blocks(4, 5))

    assert numbers(board, 1) == []
    assert numbers(board, 4) == [4, 5]


def test_without_the_tip_there_is_no_run() -> None:
    """Fault: a stream that takes the last kept block for the newest one and waits."""
    board = TipBoard(tip_at(-1), NO_HASH)
    board.advance(tip_at(1), None, blocks(0, 1))
    board.advance(tip_at(2), None)

    assert numbers(board, 0) == []
