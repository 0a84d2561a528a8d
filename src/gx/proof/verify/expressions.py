"""Every rule, alert and panel of the catalogue, evaluated where it runs."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Final

from gx.monitoring.alerts import ALERTS
from gx.monitoring.dashboards.model import Dashboard, Query
from gx.monitoring.rules import all_groups
from gx.proof.causes import Cause
from gx.proof.doctor.differing import Difference, describe, find_differences
from gx.proof.emptiness import Explainer, Explanation, Verdict
from gx.proof.prometheus import LoadedGroup, LoadedRule
from gx.proof.verify.rows import Kind, Row, State
from gx.telemetry.metric import Condition

_STATES: Final = {
    Verdict.DATA: State.DATA,
    Verdict.QUIET: State.QUIET,
    Verdict.IDLE: State.IDLE,
    Verdict.NOT_YET: State.NOT_YET,
    Verdict.EXCUSED: State.EXCUSED,
    Verdict.SILENCED: State.BROKEN,
    Verdict.BROKEN: State.BROKEN,
}


def verify_rules(explainer: Explainer, groups: Sequence[LoadedGroup]) -> Iterator[Row]:
    """Yield a row for each recording rule and alert of the catalogue.

    One that is loaded otherwise than it is declared is broken, whatever its own expression says.
    """
    loaded: dict[str, list[LoadedRule]] = {}
    for group in groups:
        for rule in group.rules:
            loaded.setdefault(rule.name, []).append(rule)
    explainer.explain_all(rule.query for rules in loaded.values() for rule in rules)
    differing = find_differences(groups)
    recordings = dict.fromkeys(each.name for group in all_groups(()) for each in group.recordings)
    for name in recordings:
        row = _rule(explainer, Kind.RECORDING, name, loaded.get(name, []))
        yield _as_declared(row, differing)
    for alert in ALERTS:
        row = _rule(explainer, Kind.ALERT, alert.name, loaded.get(alert.name, []))
        yield _as_declared(row, differing)


def _as_declared(row: Row, differing: Mapping[str, Sequence[Difference]]) -> Row:
    if row.name not in differing or row.cause == Cause.RULE_ERROR:
        return row
    return Row(
        kind=row.kind,
        name=row.name,
        state=State.BROKEN,
        why="; ".join(text for each in differing[row.name] for text in describe(each)),
        cause=Cause.RULE_DIFFERS,
    )


def verify_panels(
    explainer: Explainer,
    dashboards: Sequence[Dashboard],
    *,
    rate_window: str,
    conditions: Collection[Condition],
) -> Iterator[Row]:
    """Yield a row for each query of each panel."""
    queries = {
        f"{dashboard.uid}: {panel.title}: {query.legend}": query
        for dashboard in dashboards
        for panel, query in dashboard.queries()
    }
    texts = [query.resolve(rate_window=rate_window) for query in queries.values()]
    explanations = explainer.explain_all(texts)
    for (name, query), found in zip(queries.items(), explanations, strict=True):
        yield _excused(_row(Kind.PANEL, name, found), query, conditions)


def _rule(explainer: Explainer, kind: Kind, name: str, rules: Sequence[LoadedRule]) -> Row:
    if not rules:
        why = "Prometheus has not loaded it"
        return Row(kind=kind, name=name, state=State.BROKEN, why=why, cause=Cause.RULE_MISSING)
    for rule in rules:
        if rule.health == "err":
            why = f"its evaluation fails: {rule.last_error}"
            return Row(kind=kind, name=name, state=State.BROKEN, why=why, cause=Cause.RULE_ERROR)
    rows = [_row(kind, name, explainer.explain(rule.query)) for rule in rules]
    row = max(rows, key=lambda each: list(State).index(each.state))
    if kind is Kind.ALERT and row.state is State.DATA:
        state = State.FIRING if any(rule.state == "firing" for rule in rules) else State.QUIET
        return Row(kind=kind, name=name, state=state)
    return row


def _row(kind: Kind, name: str, found: Explanation) -> Row:
    state = _STATES[found.verdict]
    why = f"{found.what}: {found.where}" if found.where else ""
    return Row(
        kind=kind,
        name=name,
        state=state,
        why=why if state is not State.QUIET else "",
        cause="" if found.cause is None else found.cause.value,
        evidence=found.evidence,
    )


def _excused(row: Row, query: Query, conditions: Collection[Condition]) -> Row:
    """Excuse a panel of what is not there; a filter that holds nothing is an idle panel."""
    if row.state is State.QUIET:
        return Row(kind=row.kind, name=row.name, state=State.IDLE, why="nothing passes its filter")
    is_excused = query.condition is not None and query.condition not in conditions
    if row.state is State.BROKEN and is_excused:
        why = str(query.condition)
        return Row(kind=row.kind, name=row.name, state=State.EXCUSED, why=why)
    return row
