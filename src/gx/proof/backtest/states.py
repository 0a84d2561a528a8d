"""From when an expression held to when its alert was pending and firing: Prometheus' own rules.

Source: github.com/prometheus/prometheus, rules/alerting.go (`AlertingRule.Eval`), 2.42.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

_Run: TypeAlias = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Firing:
    """One alert of one label set firing: at each evaluation of `start_s <= t < end_s`.

    `pending_s` is when its expression began to hold. `is_open` says that the history ended first.
    """

    pending_s: int
    start_s: int
    end_s: int
    is_open: bool = False

    @property
    def length_s(self) -> int:
        """How long it fired."""
        return self.end_s - self.start_s


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluations:
    """When a rule is evaluated: at `start_s` and every `step_s` after it, up to `end_s`."""

    start_s: int
    end_s: int
    step_s: int

    @property
    def length_s(self) -> int:
        """Seconds from the first to the last instant."""
        return self.end_s - self.start_s

    @property
    def last_s(self) -> int:
        """The last evaluation."""
        return self.start_s + (self.end_s - self.start_s) // self.step_s * self.step_s

    @property
    def count(self) -> int:
        """How many there are."""
        return (self.last_s - self.start_s) // self.step_s + 1


def firings(
    held_s: Iterable[int], evaluations: Evaluations, *, for_s: int, keep_firing_s: int
) -> tuple[Firing, ...]:
    """List when the alert fires, given the evaluations, ascending, at which its expression held."""
    found = []
    runs = list(_runs(held_s, evaluations.step_s))
    for group in _joined(runs, evaluations.step_s, for_s=for_s, keep_firing_s=keep_firing_s):
        firing = _fires(group, evaluations, for_s=for_s, keep_firing_s=keep_firing_s)
        if firing is not None:
            found.append(firing)
    return tuple(found)


def _runs(held_s: Iterable[int], step_s: int) -> Iterator[_Run]:
    """Join evaluations that follow each other, as (first, last)."""
    first: int | None = None
    last: int | None = None
    for at_s in held_s:
        if first is None or last is None:
            first = last = at_s
        elif at_s - last > step_s:
            yield first, last
            first = last = at_s
        else:
            last = at_s
    if first is not None and last is not None:
        yield first, last


def _joined(runs: Sequence[_Run], step_s: int, *, for_s: int, keep_firing_s: int) -> Iterator[_Run]:
    """Join runs between which a firing alert was kept firing."""
    current: _Run | None = None
    for run in runs:
        if current is None:
            current = run
        elif _is_kept(current, run, step_s, for_s=for_s, keep_firing_s=keep_firing_s):
            current = (current[0], run[1])
        else:
            yield current
            current = run
    if current is not None:
        yield current


def _is_kept(
    current: _Run, following: _Run, step_s: int, *, for_s: int, keep_firing_s: int
) -> bool:
    """Was it firing, and is it still when its expression holds again?

    Prometheus counts from the first evaluation at which the expression no longer held.
    """
    fired = current[1] - current[0] >= for_s
    return fired and following[0] <= _resolved_s(current[1] + step_s, step_s, keep_firing_s)


def _fires(run: _Run, evaluations: Evaluations, *, for_s: int, keep_firing_s: int) -> Firing | None:
    step_s = evaluations.step_s
    start_s = run[0] + -(-for_s // step_s) * step_s
    if start_s > run[1]:
        return None
    resolved_s = _resolved_s(run[1] + step_s, step_s, keep_firing_s)
    end_s = evaluations.last_s + step_s
    return Firing(run[0], start_s, min(resolved_s, end_s), is_open=resolved_s >= end_s)


def _resolved_s(lost_s: int, step_s: int, keep_firing_s: int) -> int:
    """Return the evaluation at which it resolves, its expression not holding from `lost_s` on."""
    return lost_s + -(-keep_firing_s // step_s) * step_s
