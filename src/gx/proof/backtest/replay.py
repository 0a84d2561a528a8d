"""Runs a rule set over a history: when would which of its alerts have fired?"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from gx.proof.backtest.history import History, Labels, QueryRefusedError
from gx.proof.backtest.inlining import Inliner, InliningError
from gx.proof.backtest.rules import AlertingRule, RuleSet
from gx.proof.backtest.states import Evaluations, Firing, firings


@dataclass(frozen=True, slots=True)
class SeriesFirings:
    """How one label set of an alert fired; the labels are the alert's, without its name."""

    labels: Labels
    firings: tuple[Firing, ...]

    def label(self, name: str) -> str:
        """Return a label's value; empty where it has none."""
        return dict(self.labels).get(name, "")


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertHistory:
    """What one alert would have done; `error` says why that is not known."""

    rule: AlertingRule
    evaluations: Evaluations
    series: tuple[SeriesFirings, ...] = ()
    error: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """What a rule set would have done over a range."""

    name: str
    evaluations: Evaluations
    alerts: tuple[AlertHistory, ...]

    @property
    def errors(self) -> tuple[str, ...]:
        """Which rules could not be evaluated, and why."""
        return tuple(f"{each.rule.name}: {each.error}" for each in self.alerts if each.error)


def replay(
    rules: RuleSet,
    history: History,
    evaluations: Evaluations,
    *,
    tell: Callable[[int, str], None] = lambda _number, _name: None,
) -> Replay:
    """Evaluate every alert of a set; `tell` hears each one's number, from 1, and name before it.

    A group that is evaluated less often than `evaluations` keeps its own pace.
    A rule that cannot be evaluated does not end the others.

    Raises:
        HistoryUnreachableError: Nothing answers any more.
    """
    inliner = Inliner(rules.recordings)
    found = []
    for number, rule in enumerate(rules.alerts, 1):
        tell(number, rule.name)
        found.append(_replay_alert(rule, inliner, history, evaluations))
    return Replay(name=rules.name, evaluations=evaluations, alerts=tuple(found))


def replay_alert(
    rule: AlertingRule, expr: str, history: History, evaluations: Evaluations
) -> AlertHistory:
    """Evaluate one alert by an expression that reads no recordings.

    Raises:
        HistoryUnreachableError: Nothing answers.
        QueryRefusedError: The expression cannot be evaluated.
    """
    own = Evaluations(
        start_s=evaluations.start_s,
        end_s=evaluations.end_s,
        step_s=max(evaluations.step_s, rule.interval_s),
    )
    series = []
    for labels, samples in history.read(expr, own).items():
        fired = firings(samples.times_s, own, for_s=rule.for_s, keep_firing_s=rule.keep_firing_s)
        if fired:
            series.append(SeriesFirings(_with(labels, rule.labels), fired))
    return AlertHistory(rule=rule, evaluations=own, series=tuple(series))


def _replay_alert(
    rule: AlertingRule, inliner: Inliner, history: History, evaluations: Evaluations
) -> AlertHistory:
    try:
        return replay_alert(rule, inliner.inline(rule.expr), history, evaluations)
    except (QueryRefusedError, InliningError) as error:
        return AlertHistory(rule=rule, evaluations=evaluations, error=str(error))


def _with(labels: Labels, added: Iterable[tuple[str, str]]) -> Labels:
    """Set the rule's labels; a template in one of them stays as it is written."""
    return tuple(sorted((dict(labels) | dict(added)).items()))


def spans(series: Sequence[SeriesFirings]) -> list[tuple[int, int]]:
    """Join what fires at the same time into spans, ascending."""
    joined: list[tuple[int, int]] = []
    for start_s, end_s in sorted((f.start_s, f.end_s) for each in series for f in each.firings):
        if joined and start_s <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end_s, joined[-1][1]))
        else:
            joined.append((start_s, end_s))
    return joined
