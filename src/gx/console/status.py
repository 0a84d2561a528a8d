"""What stands above every page: which programs answer, what fires, and which environments exist."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Final

from gx.console.prometheus import Prometheus, VectorSample
from gx.console.sources import Source, SourceError
from gx.console.wire import WireSource, WireStatus
from gx.monitoring.dashboards.model import NAMESPACE
from gx.monitoring.external import ALERT_STATES, UP
from gx.monitoring.promql import select, sum_by
from gx.monitoring.selectors import is_, is_not, matches

_OURS: Final = matches("job", "gx-.+")
_ACTIVE: Final = sum_by(
    select(ALERT_STATES, is_not("severity", "none")), "alertstate", "severity"
).text
_UP: Final = sum_by(select(UP)).text
_DOWN: Final = sum_by(1 - select(UP)).text
_NAMESPACES: Final = sum_by(select(UP, _OURS), NAMESPACE).text
_FIRING: Final = is_("alertstate", "firing").value
_PENDING: Final = is_("alertstate", "pending").value


async def read_status(
    prometheus: Prometheus, others: Mapping[str, Source], *, environment: str, now_ms: int
) -> WireStatus:
    """Ask every source whether it is there, and Prometheus for the counts.

    `others` are the further sources by the path that tells whether they are ready.
    """
    looked = asyncio.gather(
        _look_at(prometheus.source, "/-/ready"),
        *(_look_at(source, path) for path, source in others.items()),
    )
    counts, sources = await asyncio.gather(_counts(prometheus, now_ms // 1_000), looked)
    active, up, down, namespaces = counts or ((), (), (), ())
    known = counts is not None
    return WireStatus(
        at_ms=now_ms,
        environment=environment,
        sources=tuple(sources),
        namespaces=tuple(sorted(sample.metric.get(NAMESPACE, "") for sample in namespaces)),
        critical=_count(active, state=_FIRING, severity="critical") if known else None,
        warning=_count(active, state=_FIRING, severity="warning") if known else None,
        pending=_count(active, state=_PENDING) if known else None,
        targets_up=_total(up) if known else None,
        targets_down=_total(down) if known else None,
    )


async def _look_at(source: Source, path: str) -> WireSource:
    return WireSource(name=source.name, url=source.url, problem=await source.fault(path))


async def _counts(prometheus: Prometheus, now_s: int) -> tuple[Sequence[VectorSample], ...] | None:
    try:
        return tuple(
            await asyncio.gather(
                *(
                    prometheus.instant(query, at_s=now_s)
                    for query in (_ACTIVE, _UP, _DOWN, _NAMESPACES)
                )
            )
        )
    except SourceError:
        return None  # the source's own line says why


def _count(samples: Sequence[VectorSample], *, state: str, severity: str | None = None) -> int:
    return _total(
        [
            sample
            for sample in samples
            if sample.metric.get("alertstate") == state
            and severity in (None, sample.metric.get("severity"))
        ]
    )


def _total(samples: Sequence[VectorSample]) -> int:
    return round(sum(float(sample.value[1]) for sample in samples))
