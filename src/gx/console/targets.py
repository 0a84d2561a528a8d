"""Whom Prometheus asks for numbers, how they answer, and who should be asked and is not."""

from typing import Final

from gx.console.prometheus import Prometheus, Target
from gx.console.sources import SourceError
from gx.console.wire import WireMissing, WireTarget, WireTargets
from gx.monitoring.dashboards.model import NAMESPACE
from gx.monitoring.external import UP
from gx.monitoring.promql import select, unless
from gx.monitoring.recording import EXPECTED_TARGET

# The second half of BackendServiceDown: a target that left the configuration has no `up` to be 0.
_MISSING: Final = unless(select(EXPECTED_TARGET), select(UP), on=["job", NAMESPACE, "service"]).text


async def read_targets(prometheus: Prometheus, *, now_ms: int) -> WireTargets:
    """List every target, those in trouble first."""
    try:
        targets = await prometheus.targets()
        missing = await prometheus.instant(_MISSING, at_s=now_ms // 1_000)
    except SourceError as error:
        return WireTargets(problem=str(error), targets=(), missing=())
    shown = sorted((_target(each) for each in targets), key=_by_trouble)
    return WireTargets(
        problem=None,
        targets=tuple(shown),
        missing=tuple(
            WireMissing(
                job=sample.metric.get("job", ""),
                namespace=sample.metric.get(NAMESPACE, ""),
                service=sample.metric.get("service", ""),
            )
            for sample in missing
        ),
    )


def _target(target: Target) -> WireTarget:
    labels = target.labels
    return WireTarget(
        job=labels.get("job", ""),
        instance=labels.get("instance", ""),
        namespace=labels.get(NAMESPACE, ""),
        service=labels.get("service", ""),
        health=target.health,
        last_error=target.last_error,
        last_scrape=target.last_scrape,
        duration_s=target.last_scrape_duration,
        url=target.scrape_url,
    )


def _by_trouble(target: WireTarget) -> tuple[bool, str, str, str]:
    return (target.health == "up", target.namespace, target.job, target.instance)
