"""`gx monitoring`: what the metrics say."""

from collections.abc import Sequence
from typing import Annotated, Final

import typer

from gx.cli.failures import CheckFailedError
from gx.cli.options import JsonOption
from gx.cli.output import show_json, show_table
from gx.domain.codec import JsonObject, JsonValue
from gx.monitoring.live import LiveMetric, check_live, missing
from gx.runtime.local_stack import VALKEY
from gx.runtime.settings import CommonSettings, StackSettings, load
from gx.runtime.stack import stack_folder
from gx.runtime.tools import Program
from gx.telemetry.catalogue import CATALOGUE
from gx.telemetry.metric import Condition

_PROMETHEUS: Final = Program.PROMETHEUS.value

app = typer.Typer(name="monitoring", no_args_is_help=True, add_completion=False)


@app.callback()
def group() -> None:
    """Check the metrics in Prometheus.

    Examples:
      gx monitoring metrics --live
    """


@app.command("metrics")
def metrics(
    live: Annotated[
        bool, typer.Option("--live", help="Ask Prometheus which of them have data.")
    ] = False,
    prometheus: Annotated[
        str | None, typer.Option("--prometheus", help="Its address; else the local stack's.")
    ] = None,
    namespace: Annotated[
        str | None, typer.Option("--namespace", help="The namespace label of the targets.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """List every declared metric; with --live, whether Prometheus has its data.

    With --live it exits with 1 if one is missing. What rightly has no data
    here is excused.

    Examples:
      gx monitoring metrics
      gx monitoring metrics --live
      gx monitoring metrics --live --prometheus http://127.0.0.1:30090 --json
    """
    if not live:
        _show_catalogue(as_json=as_json)
        return
    url = prometheus or f"http://127.0.0.1:{_prometheus_port()}"
    label = namespace or f"backend-{load(CommonSettings).environment}"
    rows = check_live(url, namespace=label, conditions=_conditions())
    if as_json:
        items: list[JsonValue] = [_wire(row) for row in rows]
        show_json({"ok": not missing(rows), "metrics": items})
    else:
        _show_live(rows)
    lost = missing(rows)
    if lost:
        names = ", ".join(row.metric.name for row in lost)
        raise CheckFailedError(f"{len(lost)} metrics have no data in {url}: {names}")


def _prometheus_port() -> int:
    """Return where the local stack's Prometheus listens, or would."""
    state = stack_folder().read()
    ports = [
        port
        for item in (state.items if state else ())
        if item.name == _PROMETHEUS
        for port in item.ports
    ]
    return ports[0] if ports else load(StackSettings).prometheus_port


def _conditions() -> frozenset[Condition]:
    """Find out what the local stack has; the ledger's certificates it has not."""
    state = stack_folder().read()
    has_redis = state is not None and any(item.name == VALKEY for item in state.items)
    return frozenset({Condition.REDIS}) if has_redis else frozenset()


def _show_catalogue(*, as_json: bool) -> None:
    if as_json:
        items: list[JsonValue] = [
            {
                "name": metric.name,
                "kind": metric.kind.value,
                "unit": metric.unit.value,
                "labels": list[JsonValue](metric.label_names),
                "processes": [process.value for process in sorted(metric.processes)],
                "help": metric.help,
            }
            for metric in CATALOGUE
        ]
        show_json({"metrics": items})
        return
    show_table(
        ("metric", "kind", "labels", "exported by"),
        (
            (
                metric.name,
                metric.kind,
                ", ".join(metric.label_names),
                ", ".join(sorted(metric.processes)),
            )
            for metric in CATALOGUE
        ),
    )


def _show_live(rows: Sequence[LiveMetric]) -> None:
    show_table(
        ("metric", "", "series>", "largest>", "why"),
        (
            (
                row.metric.name,
                row.verdict,
                str(row.series),
                "" if row.sample is None else f"{row.sample:g}",
                row.excuse or ", ".join(sorted(row.missing_from)),
            )
            for row in rows
        ),
    )


def _wire(row: LiveMetric) -> JsonObject:
    return {
        "name": row.metric.name,
        "verdict": row.verdict.value,
        "series": row.series,
        "largest": None if row.sample is None else f"{row.sample:g}",
        "missingFrom": [process.value for process in sorted(row.missing_from)],
        "excuse": None if row.excuse is None else row.excuse.value,
    }
