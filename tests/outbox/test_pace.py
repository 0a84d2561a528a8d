"""How the size of batches follows what the ledger can endorse in time."""

from gx.outbox.pace import Pace


def a_pace() -> Pace:
    """Batches of up to 1,000 commands, to be endorsed within half a second."""
    return Pace(commands_max=1_000, target_s=0.5)


def test_a_fast_ledger_gets_the_largest_batches_after_two() -> None:
    """Full batches that are endorsed in half the time double the size, up to the bound."""
    pace = a_pace()

    sizes = [pace.commands]
    for _ in range(3):
        pace.endorsed(pace.commands, 0.05)
        sizes.append(pace.commands)

    assert sizes == [250, 500, 1_000, 1_000]


def test_a_small_batch_tells_nothing_about_a_large_one() -> None:
    """Few commands at a gentle rate are fast, and no reason for larger batches."""
    pace = a_pace()

    pace.endorsed(249, 0.01)

    assert pace.commands == 250


def test_a_batch_that_used_most_of_the_time_changes_nothing() -> None:
    """Twice as many would be late."""
    pace = a_pace()

    pace.endorsed(250, 0.3)

    assert pace.commands == 250


def test_a_late_batch_makes_the_next_fit_the_time() -> None:
    """At the measured time a command, the next batch takes what it should."""
    pace = a_pace()

    pace.endorsed(250, 1.0)

    assert pace.commands == 125


def test_a_batch_that_failed_late_makes_the_next_smaller_too() -> None:
    """A peer gives a transaction up that takes too long: the same size would fail again."""
    pace = a_pace()

    pace.failed(250, 5.0)

    assert pace.commands == 62


def test_a_batch_that_failed_at_once_tells_nothing() -> None:
    """A refused connection says nothing about sizes, in either direction."""
    pace = a_pace()

    pace.failed(250, 0.001)

    assert pace.commands == 250


def test_one_stall_does_not_take_batches_away() -> None:
    """Three quarters at most for one late answer, and never the last command."""
    pace = a_pace()

    pace.endorsed(1, 60.0)
    assert pace.commands == 62
    for _ in range(10):
        pace.endorsed(1, 60.0)
    assert pace.commands == 1
    pace.endorsed(1, 0.01)
    assert pace.commands == 2


def test_a_late_small_batch_never_makes_batches_larger() -> None:
    """What fits is a bound, not a wish."""
    pace = a_pace()

    pace.endorsed(1_000, 0.6)

    assert pace.commands == 250


def test_batches_of_one_stay_so() -> None:
    """Where one command is the bound there is nothing to adapt."""
    pace = Pace(commands_max=1, target_s=0.5)

    pace.endorsed(1, 0.01)
    pace.endorsed(1, 9.0)

    assert pace.commands == 1
