"""From a story that fails to the smallest one that still does.

Delta debugging (Zeller and Hildebrandt, "Simplifying and Isolating Failure-Inducing Input", 2002):
leave out a half, then quarters, and so on, for as long as the rest still fails. Before that, leave
out everything: what fails without any fault is no fault's doing.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from tests.chaos.faults.story import Fault


@dataclass(frozen=True, slots=True, kw_only=True)
class Shrunk:
    """The smallest story that was seen to fail, and how sure that is.

    Without `is_reproduced` not even the whole story failed again. With `is_minimal` every story
    that leaves out one fault more was played, and did not fail. An empty story that is reproduced
    fails without any fault.
    """

    story: tuple[Fault, ...]
    replays: int
    is_reproduced: bool
    is_minimal: bool


class _SpentError(Exception):
    """There is no replay left."""


async def shrink(
    story: Sequence[Fault],
    fails: Callable[[Sequence[Fault]], Awaitable[bool]],
    *,
    replays_max: int,
    is_in_time: Callable[[], bool] = lambda: True,
) -> Shrunk:
    """Play shorter and shorter stories, `replays_max` at most, each on a stage of its own."""
    search = _Search(fails, replays_max, is_in_time)
    smallest = tuple(story)
    try:
        if not await search.fails(smallest):
            return search.result(smallest, is_reproduced=False, is_minimal=False)
        if await search.fails(()):
            return search.result((), is_reproduced=True, is_minimal=True)
        parts = 2
        while len(smallest) > 1:
            shorter = await _leave_out_one(smallest, parts, search)
            if shorter is not None:
                smallest, parts = shorter, max(parts - 1, 2)
            elif parts >= len(smallest):
                break
            else:
                parts = min(2 * parts, len(smallest))
    except _SpentError:
        smallest = smallest if search.smallest is None else search.smallest
        is_reproduced = search.smallest is not None
        is_minimal = len(smallest) <= 1 and search.has_played(())
        return search.result(smallest, is_reproduced=is_reproduced, is_minimal=is_minimal)
    return search.result(smallest, is_reproduced=True, is_minimal=True)


async def _leave_out_one(
    story: tuple[Fault, ...], parts: int, search: "_Search"
) -> tuple[Fault, ...] | None:
    """Return the story without one of its so many parts, if it then still fails."""
    size = -(-len(story) // parts)
    for begin in range(0, len(story), size):
        shorter = story[:begin] + story[begin + size :]
        if shorter and await search.fails(shorter):
            return shorter
    return None


class _Search:
    """Counts replays, and plays no story twice."""

    def __init__(
        self,
        fails: Callable[[Sequence[Fault]], Awaitable[bool]],
        replays_max: int,
        is_in_time: Callable[[], bool],
    ) -> None:
        self._fails = fails
        self._left = replays_max
        self._is_in_time = is_in_time
        self._known: dict[tuple[Fault, ...], bool] = {}
        self.smallest: tuple[Fault, ...] | None = None

    async def fails(self, story: tuple[Fault, ...]) -> bool:
        if story not in self._known:
            if self._left <= 0 or not self._is_in_time():
                raise _SpentError
            self._left -= 1
            self._known[story] = await self._fails(story)
        if self._known[story]:
            self.smallest = story
        return self._known[story]

    def has_played(self, story: tuple[Fault, ...]) -> bool:
        return story in self._known

    def result(self, story: tuple[Fault, ...], *, is_reproduced: bool, is_minimal: bool) -> Shrunk:
        return Shrunk(
            story=story,
            replays=len(self._known),
            is_reproduced=is_reproduced,
            is_minimal=is_minimal,
        )
