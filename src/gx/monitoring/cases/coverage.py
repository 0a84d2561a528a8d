"""What the cases show of each alert, and what they must show: the gate before anything is run."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from gx.monitoring.cases.model import Case, Kind, Trap
from gx.monitoring.model import Alert, Severity

REQUIRED: Final = (Kind.FIRES, Kind.SILENT, Kind.RESOLVES)


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """The cases of one alert, counted by what they show."""

    alert: Alert
    fires: int
    silent: int
    resolves: int
    more: int
    traps: tuple[Trap, ...]


def cover(alert: Alert, cases: Iterable[Case]) -> Coverage:
    """Count an alert's cases."""
    own = cases_of(alert, cases)
    kinds = [case.kind for case in own]
    return Coverage(
        alert=alert,
        fires=kinds.count(Kind.FIRES),
        silent=kinds.count(Kind.SILENT),
        resolves=kinds.count(Kind.RESOLVES),
        more=kinds.count(Kind.MORE),
        traps=tuple(dict.fromkeys(case.trap for case in own if case.trap is not None)),
    )


def cases_of(alert: Alert, cases: Iterable[Case]) -> tuple[Case, ...]:
    """List an alert's cases."""
    return tuple(case for case in cases if case.alert.name == alert.name)


def find_gaps(
    alerts: Sequence[Alert], cases: Sequence[Case], exposed: Mapping[str, frozenset[Trap]]
) -> tuple[str, ...]:
    """Say which alert lacks which case, which trap nobody meets, and whose alert is gone.

    `exposed` says which traps each alert must pass.
    """
    names = {alert.name for alert in alerts}
    met = {trap for traps in exposed.values() for trap in traps}
    return (
        *(f"{alert.name}: {gap}" for alert in alerts for gap in _gaps(alert, cases, exposed)),
        *(
            f"{name}: traps are named for it and there is no such alert"
            for name in exposed.keys() - names
        ),
        *(f"no alert must pass the trap: {trap}" for trap in Trap if trap not in met),
    )


def _gaps(
    alert: Alert, cases: Sequence[Case], exposed: Mapping[str, frozenset[Trap]]
) -> Iterator[str]:
    own = cases_of(alert, cases)
    kinds = {case.kind for case in own}
    # What always fires can be neither silent nor resolved.
    required = REQUIRED if alert.severity is not Severity.NONE else (Kind.FIRES,)
    for kind in required:
        if kind not in kinds:
            yield f"no case shows that it {kind}"
    if alert.severity is not Severity.NONE and alert.name not in exposed:
        yield "nobody said which traps it must pass; name them, or say that there are none"
    met = {case.trap for case in own}
    for trap in sorted(exposed.get(alert.name, frozenset()) - met):
        yield f"no case shows that it passes the trap: {trap}"
    if not any(count > 0 for case in own for _, count in case.checks):
        yield "no case of it ever fires"
