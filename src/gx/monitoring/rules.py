"""Rule files: which groups there are, and that nothing in them is missing or undeclared."""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from gx.monitoring.alerts import ALERT_GROUPS, BACKEND_GROUP
from gx.monitoring.external import EXTERNAL
from gx.monitoring.jobs import JOBS, PROBE_JOB, PROBED_SERVICES
from gx.monitoring.model import Alert, Links, RuleGroup
from gx.monitoring.recording import (
    AVAILABILITY,
    EXPECTED_TARGET,
    ExpectedTargets,
    Recording,
)
from gx.monitoring.scrape import TargetLabels
from gx.monitoring.selectors import ExternalMetric, Series
from gx.monitoring.slos import HOUR_S, LAG_SLICE, SLOS, WINDOWS_S, Slo
from gx.telemetry.catalogue import CATALOGUE
from gx.telemetry.metric import Metric, Process

Targets = Sequence[tuple[str, TargetLabels]]

# What stands on Kubernetes in each environment; the ledger there is Fabric, which runs contracts
# in a chaincode process of ours.
_DEPLOYED: Final = (Process.SUBMITTER, Process.PROJECTOR, Process.API, Process.CHAINCODE)

_LONG_INTERVAL_S: Final = 60
_BUDGET_INTERVAL_S: Final = 300
_TEMPLATE_LABEL: Final = re.compile(r"\$labels\.(\w+)")


def deployed_targets(environments: Iterable[str]) -> Targets:
    """List what should be scraped and probed where these environments are deployed."""
    return [
        (job, TargetLabels.of(name, process.value))
        for name in environments
        for job, process in (
            *((JOBS[process], process) for process in _DEPLOYED),
            *((PROBE_JOB, process) for process in PROBED_SERVICES),
        )
    ]


def backend_groups(targets: Targets) -> tuple[RuleGroup, ...]:
    """Return the eighteen alerts and every recording rule that they need, and nothing else."""
    alerts = next(group for group in ALERT_GROUPS if group.name == BACKEND_GROUP)
    return (_expected(targets), _recordings("gx_backend_recordings", alerts.alerts), alerts)


def companion_groups() -> tuple[RuleGroup, ...]:
    """Return everything else; loaded beside the backend's groups, no rule is there twice."""
    others = tuple(group for group in ALERT_GROUPS if group.name != BACKEND_GROUP)
    shared = RuleGroup(name="gx_shared_recordings", recordings=(AVAILABILITY, LAG_SLICE))
    return (shared, *_slo_groups(), *others)


def all_groups(targets: Targets) -> tuple[RuleGroup, ...]:
    """Return every group."""
    return (*backend_groups(targets), *companion_groups())


def groups_to_yaml(groups: Iterable[RuleGroup], links: Links) -> dict[str, object]:
    """Return groups as a rule file spells them."""
    return {"groups": [group.to_yaml(links) for group in groups]}


def groups_needed_by(alert: Alert, targets: Targets) -> tuple[RuleGroup, ...]:
    """Return the alert's own rule and what it reads, at any depth: enough to test it alone."""
    recordings = _recordings("gx_needed", [alert])
    alone = RuleGroup(name="gx_alone", alerts=(alert,))
    needs_targets = any(isinstance(each, ExpectedTargets) for each in alert.expr.reads)
    return (*([_expected(targets)] if needs_targets else []), recordings, alone)


def recordings_of(alerts: Iterable[Alert]) -> tuple[Recording, ...]:
    """List the recording rules that alerts read, at any depth, each after what it reads itself."""
    found: dict[str, Recording] = {}
    for alert in alerts:
        for recording in _depths(alert.expr.reads):
            found.setdefault(recording.name, recording)
    return tuple(found.values())


def find_faults(groups: Iterable[RuleGroup]) -> tuple[str, ...]:
    """Say what is wrong with the rules, naming the rule; empty when nothing is."""
    kept = tuple(groups)
    alerts = [alert for group in kept for alert in group.alerts]
    names = [alert.name for alert in alerts]
    recorded = {recording.name for group in kept for recording in group.recordings}
    return (
        *(f"{name}: two alerts have this name" for name in _repeated(names)),
        *(f"{alert.name}: {fault}" for alert in alerts for fault in _alert_faults(alert, recorded)),
        *(
            f"{recording.name}: {fault}"
            for group in kept
            for recording in group.recordings
            for fault in _read_faults(recording.expr.reads, recorded)
        ),
    )


def _repeated(names: Sequence[str]) -> list[str]:
    return sorted({name for name in names if names.count(name) > 1})


def _recordings(name: str, alerts: Iterable[Alert]) -> RuleGroup:
    return RuleGroup(name=name, recordings=recordings_of(alerts))


def _expected(targets: Targets) -> RuleGroup:
    return RuleGroup(name="gx_expected_targets", recordings=EXPECTED_TARGET.rules(targets))


def _slo_groups() -> Iterator[RuleGroup]:
    for slo in SLOS:
        yield _windows(slo, [w for w in WINDOWS_S if w <= HOUR_S])
        yield _windows(slo, [w for w in WINDOWS_S if w > HOUR_S], interval_s=_LONG_INTERVAL_S)
    yield RuleGroup(
        name="gx_slo_budgets",
        recordings=tuple(slo.budget_rule for slo in SLOS),
        interval_s=_BUDGET_INTERVAL_S,
    )


def _windows(slo: Slo, windows_s: Iterable[int], interval_s: int | None = None) -> RuleGroup:
    rules = (rule for w in windows_s for rule in (slo.ratio_rule(w), slo.events_rule(w)))
    suffix = "_long" if interval_s else ""
    return RuleGroup(
        name=f"gx_slo_{slo.objective}{suffix}", recordings=tuple(rules), interval_s=interval_s
    )


def _depths(reads: Iterable[Series]) -> Iterator[Recording]:
    for each in sorted(reads, key=lambda series: series.name):
        if isinstance(each, Recording):
            yield from _depths(each.expr.reads)
            yield each


def _alert_faults(alert: Alert, recorded: set[str]) -> Iterator[str]:
    if not alert.family:
        yield "it has no family, so no critical alert can mute it"
    if not alert.summary.endswith("."):
        yield "its summary is not a sentence"
    if "$value" not in alert.description:
        yield "its description does not have the value"
    known = alert.expr.labels | alert.expr.maybe
    for label in _TEMPLATE_LABEL.findall(alert.description):
        if label not in known:
            yield f"its description uses the label {label}, which its expression drops"
    yield from _read_faults(alert.expr.reads, recorded)


def _read_faults(reads: Iterable[Series], recorded: set[str]) -> Iterator[str]:
    for series in reads:
        match series:
            case Metric() if series not in CATALOGUE:
                yield f"it reads {series.name}, which the metric catalogue does not have"
            case Metric(alias_of=Metric() as primary):
                yield f"it reads {series.name}: use {primary.name}, which that repeats"
            case ExternalMetric() if series not in EXTERNAL:
                yield f"it reads {series.name}, which no exporter is declared to have"
            case Recording() | ExpectedTargets() if series.name not in recorded:
                yield f"it reads {series.name}, which no rule of these groups records"
            case _:
                pass
