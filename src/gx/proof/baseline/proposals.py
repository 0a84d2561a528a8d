"""Measures every threshold over a history, tries candidates in its place, and proposes the best.

A candidate is judged by what its alert would have done, with `for` and guards: first by how many
marked incidents it misses, then by pages outside of them, then by how near it is to what holds.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from gx.monitoring.rules import recordings_of
from gx.proof.backtest.history import History, QueryRefusedError
from gx.proof.backtest.incidents import Incident
from gx.proof.backtest.inlining import Inliner
from gx.proof.backtest.measures import WEEK_S, Reading, is_false, measure_alert, pages_of
from gx.proof.backtest.replay import replay_alert
from gx.proof.backtest.rules import AlertingRule, parse_rules
from gx.proof.backtest.states import Evaluations
from gx.proof.baseline.distribution import Distribution, Sample, distribute
from gx.proof.baseline.tunables import Tunable, bounds, tunables

_RANKS_ABOVE: Final = (0.95, 0.99, 0.999)
_RANKS_BELOW: Final = (0.05, 0.01, 0.001)
_FACTORS: Final = (0.5, 2.0)
_DIGITS: Final = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What the alert would have done with `value`; rates are None where nothing was marked.

    `notifications` are one for each time that a namespace begins to fire, whatever the severity.
    """

    value: float
    notifications: int
    false_per_week: float | None
    missed: tuple[str, ...]
    miss_rate: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """One threshold, measured. `proposed` is None where nothing better is known."""

    name: str
    alert: str
    unit: str
    current: float
    is_promise: bool
    distribution: Distribution | None
    trials: tuple[Trial, ...]
    proposed: float | None
    error: str | None = None


def measure_baselines(
    wanted: Sequence[Tunable],
    history: History,
    evaluations: Evaluations,
    reading: Reading,
    *,
    tell: Callable[[int, str], None] = lambda _number, _name: None,
) -> tuple[Baseline, ...]:
    """Measure thresholds; `tell` hears each one's number, from 1, and name before it.

    Raises:
        HistoryUnreachableError: Nothing answers any more.
    """
    found = []
    for number, tunable in enumerate(wanted, 1):
        tell(number, tunable.name)
        found.append(_Measurement(tunable, history, evaluations, reading).baseline())
    return tuple(found)


class _Measurement:
    """Measures one threshold."""

    def __init__(
        self, tunable: Tunable, history: History, evaluations: Evaluations, reading: Reading
    ) -> None:
        self._tunable = tunable
        self._history = history
        self._evaluations = evaluations
        self._reading = reading
        self._rule, self._inliner = _rule_of(tunable)

    def baseline(self) -> Baseline:
        try:
            distribution, usual = self._distributions()
            values = candidates(self._tunable, usual) if usual else ()
            trials = tuple(self._try(value) for value in values)
        except QueryRefusedError as error:
            return self._result(None, (), str(error))
        return self._result(distribution, trials, None)

    def _result(
        self, distribution: Distribution | None, trials: tuple[Trial, ...], error: str | None
    ) -> Baseline:
        tunable = self._tunable
        return Baseline(
            name=tunable.name,
            alert=tunable.alert.name,
            unit=tunable.threshold.unit,
            current=tunable.threshold.default,
            is_promise=tunable.is_promise,
            distribution=distribution,
            trials=trials,
            proposed=None if tunable.is_promise else choose(trials, tunable.threshold.default),
            error=error,
        )

    def _distributions(self) -> tuple[Distribution | None, Distribution | None]:
        """Return how everything is distributed, and what is outside of marked incidents."""
        expr = self._inliner.inline(self._tunable.measure)
        samples: list[Sample] = [
            sample
            for each in self._history.read(expr, self._evaluations).values()
            for sample in zip(each.times_s, each.values, strict=True)
        ]
        marked = (*self._reading.incidents, *self._reading.outside)
        usual = [each for each in samples if not _is_during(each[0], marked)]
        above = self._tunable.fires_above
        return (
            distribute(samples, self._reading.zone, fires_above=above),
            distribute(usual, self._reading.zone, fires_above=above),
        )

    def _try(self, value: float) -> Trial:
        expr = self._inliner.inline(self._tunable.expression(value))
        replayed = replay_alert(self._rule, expr, self._history, self._evaluations)
        pages = pages_of(replayed)
        detections = measure_alert(replayed, self._reading).detections
        missed = tuple(each.incident for each in detections if each.delay_s is None)
        false = sum(is_false(page, self._rule.name, self._reading) for page in pages)
        weeks = max(self._evaluations.length_s, 1) / WEEK_S
        return Trial(
            value=value,
            notifications=len(pages),
            false_per_week=round(false / weeks, 2) if self._reading.incidents else None,
            missed=missed,
            miss_rate=round(len(missed) / len(detections), 3) if detections else None,
        )


def candidates(tunable: Tunable, usual: Distribution) -> tuple[float, ...]:
    """List what to try, ascending: what holds, its half and double, and just beyond the usual.

    A warning is never tried at or beyond its critical alert's threshold, nor the reverse.
    """
    below_by, above_by = bounds(tunable, tunables())
    current, above = tunable.threshold.default, tunable.fires_above
    edge = usual.most if above else usual.least
    measured = [usual.at(rank) for rank in (_RANKS_ABOVE if above else _RANKS_BELOW)]
    beyond = edge * 1.1 if above else edge * 0.9
    factors = [current * factor for factor in _FACTORS] if above else []
    rounded = (round_to(value, up=above) for value in (*measured, beyond, *factors))
    return tuple(
        sorted(
            {current, *(value for value in rounded if value > 0 and below_by < value < above_by)}
        )
    )


def choose(trials: Iterable[Trial], current: float) -> float | None:
    """Choose the trial that misses least, then pages least without reason, then changes least.

    None where nothing was marked, or nothing is better than what holds.
    """
    known = [trial for trial in trials if trial.miss_rate is not None]
    if not known:
        return None
    holding = next(trial for trial in known if trial.value == current)
    best = min(known, key=lambda trial: (*_badness(trial), abs(trial.value - current)))
    return best.value if _badness(best) < _badness(holding) else None


def _badness(trial: Trial) -> tuple[int, float]:
    return len(trial.missed), trial.false_per_week or 0.0


def round_to(value: float, *, up: bool) -> float:
    """Round to two digits, away from the usual, so that what is usual stays within."""
    if value == 0 or not math.isfinite(value):
        return 0.0
    unit = 10.0 ** (math.floor(math.log10(abs(value))) - _DIGITS + 1)
    steps = math.ceil(value / unit - 1e-9) if up else math.floor(value / unit + 1e-9)
    return float(f"{steps * unit:.6g}")


def _is_during(at_s: int, incidents: Iterable[Incident]) -> bool:
    return any(each.start_s <= at_s <= each.end_s for each in incidents)


def _rule_of(tunable: Tunable) -> tuple[AlertingRule, Inliner]:
    """Return the alert as a rule, and what puts its recording rules into expressions."""
    alert = tunable.alert
    recordings: Iterator[dict[str, object]] = (each.to_yaml() for each in recordings_of([alert]))
    rule: dict[str, object] = {
        "alert": alert.name,
        "expr": alert.expr.text,
        "for": f"{alert.for_s}s",
        "labels": alert.labels,
    }
    rules = parse_rules(alert.name, {"groups": [{"name": "one", "rules": [*recordings, rule]}]})
    return rules.alerts[0], Inliner(rules.recordings)
