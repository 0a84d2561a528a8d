"""The shrinker, against oracles that know exactly which faults are to blame."""

from collections.abc import Awaitable, Callable, Sequence

import pytest

from gx.ledger.kinds import LedgerKind
from tests.chaos.faults.story import Fault
from tests.chaos.schedule import draw
from tests.chaos.shrink import shrink

STORY = draw(5, 30, LedgerKind.LOCAL)


def blaming(*culprits: Fault) -> Callable[[Sequence[Fault]], Awaitable[bool]]:
    """A system that fails if, and only if, all of these happen in this order."""

    async def fails(story: Sequence[Fault]) -> bool:
        left = iter(story)
        return all(culprit in left for culprit in culprits)

    return fails


@pytest.mark.parametrize("culprits", [(3,), (29,), (0, 29), (4, 5), (2, 11, 23)])
async def test_only_the_faults_to_blame_are_left(culprits: tuple[int, ...]) -> None:
    """One, two or three faults among thirty are found, and their order is kept."""
    blamed = [STORY[place] for place in culprits]

    shrunk = await shrink(STORY, blaming(*blamed), replays_max=200)

    assert list(shrunk.story) == blamed
    assert shrunk.is_reproduced
    assert shrunk.is_minimal


async def test_what_fails_without_any_fault_is_blamed_on_none() -> None:
    """A bug that needs no fault would otherwise be told as the doing of whichever was played."""

    async def always(_: Sequence[Fault]) -> bool:
        return True

    shrunk = await shrink(STORY, always, replays_max=50)

    assert shrunk.story == ()
    assert shrunk.replays == 2
    assert shrunk.is_reproduced
    assert shrunk.is_minimal


async def test_one_fault_is_the_smallest_story_only_if_none_was_played_too() -> None:
    """A single fault that fails may still be innocent."""
    one = STORY[:1]

    unsure = await shrink(one, blaming(*one), replays_max=1)
    sure = await shrink(one, blaming(*one), replays_max=2)

    assert (unsure.story, unsure.is_reproduced, unsure.is_minimal) == (one, True, False)
    assert (sure.story, sure.is_reproduced, sure.is_minimal) == (one, True, True)


async def test_a_story_that_does_not_fail_again_is_told_as_it_was() -> None:
    """Chance is not blamed on a fault: the whole story is returned, and said not to repeat."""

    async def never(_: Sequence[Fault]) -> bool:
        return False

    shrunk = await shrink(STORY, never, replays_max=50)

    assert shrunk.story == STORY
    assert shrunk.replays == 1
    assert not shrunk.is_reproduced


async def test_what_was_found_before_the_replays_ran_out_is_kept() -> None:
    """A bound on replays costs the last steps, not all of them."""
    shrunk = await shrink(STORY, blaming(STORY[3]), replays_max=4)

    assert shrunk.replays == 4
    assert STORY[3] in shrunk.story
    assert len(shrunk.story) <= len(STORY) / 2
    assert shrunk.is_reproduced
    assert not shrunk.is_minimal


async def test_no_story_is_played_twice() -> None:
    """Each replay costs a stack's start."""
    played: list[Sequence[Fault]] = []
    blame = blaming(STORY[1], STORY[28])

    async def fails(story: Sequence[Fault]) -> bool:
        played.append(story)
        return await blame(story)

    await shrink(STORY, fails, replays_max=500)

    assert len(played) == len(set(map(tuple, played)))


async def test_it_stops_when_the_time_is_over() -> None:
    """A search that has no time left returns what it has."""
    times = iter([True, True, False])

    shrunk = await shrink(
        STORY, blaming(STORY[3]), replays_max=500, is_in_time=lambda: next(times, False)
    )

    assert shrunk.replays == 2
