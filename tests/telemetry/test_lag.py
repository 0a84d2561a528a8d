"""Lag is what it is now, not what it was when something was last projected."""

import pytest

from gx.telemetry.lag import ProjectionLag
from tests.telemetry.clocks import StoppedClock


@pytest.fixture
def clock() -> StoppedClock:
    """A clock that stands still."""
    return StoppedClock()


@pytest.fixture
def lag(clock: StoppedClock) -> ProjectionLag:
    """The lag of a projector that has projected block 4 of 5 blocks: nothing waits."""
    lag = ProjectionLag(clock=clock, monotonic_s=clock.monotonic_s)
    lag.projected(checkpoint=4)
    lag.chain_read(height=5, newest_timestamp_ms=clock.now_ms())
    return lag


def test_nothing_is_known_before_the_chain_and_the_checkpoint_are(clock: StoppedClock) -> None:
    """Half of the facts give no number at all."""
    lag = ProjectionLag(clock=clock, monotonic_s=clock.monotonic_s)
    assert (lag.lag_ms(), lag.lag_blocks()) == (None, None)
    lag.chain_read(height=5, newest_timestamp_ms=clock.now_ms())
    assert (lag.lag_ms(), lag.lag_blocks()) == (None, None)
    lag.projected(checkpoint=-1)
    assert lag.lag_blocks() == 5


def test_an_idle_chain_is_no_lag(clock: StoppedClock, lag: ProjectionLag) -> None:
    """A ledger without new blocks for an hour, still readable, is caught up."""
    clock.advance(seconds=3600)
    lag.chain_read(height=5, newest_timestamp_ms=clock.start_ms)

    assert (lag.lag_ms(), lag.lag_blocks()) == (0, 0)


def test_a_stuck_projector_lags_more_and_more(clock: StoppedClock, lag: ProjectionLag) -> None:
    """Without any projection the lag grows with time, from the oldest waiting block's age."""
    clock.advance(seconds=1)
    lag.chain_read(height=6, newest_timestamp_ms=clock.now_ms())
    for seconds in (2, 4):
        clock.advance(seconds=2)
        lag.chain_read(height=6 + seconds, newest_timestamp_ms=clock.now_ms())
        assert lag.lag_ms() == seconds * 1000

    assert lag.lag_blocks() == 5


def test_progress_moves_the_lag_to_the_next_waiting_block(
    clock: StoppedClock, lag: ProjectionLag
) -> None:
    """After the oldest block is projected, the next one's age counts."""
    for _ in range(3):
        clock.advance(seconds=1)
        height = 5 + clock.elapsed_ms // 1000
        lag.chain_read(height=height, newest_timestamp_ms=clock.now_ms())
    ages = []
    for checkpoint in (4, 5, 6, 7):
        lag.projected(checkpoint=checkpoint)
        ages.append(lag.lag_ms())

    assert ages == [2000, 1000, 0, 0]


def test_a_ledger_that_cannot_be_read_is_lag_after_ten_seconds(
    clock: StoppedClock, lag: ProjectionLag
) -> None:
    """Caught up with what was seen last is not caught up: nobody knows what came since."""
    clock.advance(seconds=10)
    assert lag.lag_ms() == 0
    clock.advance(seconds=1)
    assert lag.lag_ms() == 11_000
    assert lag.lag_blocks() == 0
    clock.advance(seconds=20)
    assert lag.lag_ms() == 31_000
    assert lag.lag_blocks() is None


def test_a_block_from_the_future_is_no_negative_lag(
    clock: StoppedClock, lag: ProjectionLag
) -> None:
    """A ledger whose clock runs ahead shows 0, not less."""
    lag.chain_read(height=6, newest_timestamp_ms=clock.now_ms() + 5_000)

    assert lag.lag_ms() == 0


def test_an_older_look_at_the_chain_changes_nothing(
    clock: StoppedClock, lag: ProjectionLag
) -> None:
    """Answers that arrive out of order cannot shrink the chain."""
    lag.chain_read(height=9, newest_timestamp_ms=clock.now_ms())
    clock.advance(seconds=1)
    lag.chain_read(height=7, newest_timestamp_ms=clock.now_ms())
    lag.chain_read(height=9, newest_timestamp_ms=clock.now_ms())
    lag.projected(checkpoint=6)

    assert (lag.lag_blocks(), lag.lag_ms()) == (2, 1000)


def test_a_long_stall_takes_bounded_memory(clock: StoppedClock, lag: ProjectionLag) -> None:
    """Far more blocks than are kept: the lag stays right for the oldest, and ends at 0."""
    for number in range(3_000):
        clock.advance(seconds=0.1)
        lag.chain_read(height=6 + number, newest_timestamp_ms=clock.now_ms())
    assert lag.lag_ms() == pytest.approx(299_900)
    assert len(lag._waiting) <= 1_024
    lag.projected(checkpoint=2_000)
    assert lag.lag_ms() == pytest.approx(100_300, rel=0.02)
    assert lag.lag_blocks() == 1_004
    lag.projected(checkpoint=3_004)
    assert (lag.lag_ms(), lag.lag_blocks()) == (0, 0)


def test_a_late_start_lags_as_much_as_the_oldest_block_is_old(
    clock: StoppedClock, lag: ProjectionLag
) -> None:
    """With everything still to do, the old blocks that arrive count, not the newest one."""
    lag.forget()
    lag.projected(checkpoint=-1)
    lag.chain_read(height=1_000, newest_timestamp_ms=clock.now_ms() - 1_000)
    lag.chain_read(height=1, newest_timestamp_ms=clock.now_ms() - 86_400_000)
    lag.chain_read(height=2, newest_timestamp_ms=clock.now_ms() - 80_000_000)

    assert (lag.lag_ms(), lag.lag_blocks()) == (86_400_000, 1_000)
    lag.projected(checkpoint=0)
    assert (lag.lag_ms(), lag.lag_blocks()) == (80_000_000, 999)
    lag.projected(checkpoint=999)
    assert (lag.lag_ms(), lag.lag_blocks()) == (0, 0)


def test_a_standby_knows_nothing(lag: ProjectionLag) -> None:
    """Who does not project exports no lag, so that it cannot be mistaken for the active one's."""
    lag.forget()

    assert (lag.lag_ms(), lag.lag_blocks()) == (None, None)
