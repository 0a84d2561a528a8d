"""`gx verify`: does the monitoring of a running system say what it is declared to say?"""

from collections import Counter
from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import Annotated, Final

import typer

from gx.cli.failures import CheckFailedError, NotRunningError, UsageFailedError
from gx.cli.options import JsonOption
from gx.cli.output import say, show, show_json, show_table
from gx.cli.running_stack import find_running
from gx.domain.codec import JsonObject, JsonValue
from gx.monitoring.errors import MonitoringError
from gx.monitoring.live import PrometheusError
from gx.proof.grafana import Grafana, GrafanaError
from gx.proof.verify.exposition import Judge, promtool_judge
from gx.proof.verify.rows import FAILING, Row, State
from gx.proof.verify.run import Subject, verify
from gx.runtime.settings import StackSettings, load
from gx.runtime.tools import Program, find_tools
from gx.telemetry.metric import Condition

_CONDITIONS: Final = {each.name.lower().replace("_", "-"): each for each in Condition}
_NAMES: Final = ", ".join(_CONDITIONS)

app = typer.Typer(add_completion=False)


@app.command("verify")
def run(
    prometheus: Annotated[
        str | None, typer.Option("--prometheus", help="Its address; else the local stack's.")
    ] = None,
    grafana: Annotated[
        str | None, typer.Option("--grafana", help="Compare the dashboards of this Grafana.")
    ] = None,
    grafana_token: Annotated[
        str | None, typer.Option("--grafana-token", help="A service account's token.")
    ] = None,
    condition: Annotated[
        list[str] | None,
        typer.Option("--condition", help=f"What holds there ({_NAMES}); repeat it."),
    ] = None,
    all_rows: Annotated[
        bool, typer.Option("--all", help="Show every row, not only what is not as it should be.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Verify the monitoring of a running system against the catalogue.

    Every recording rule, alert and panel is evaluated; every metric must be
    there, every process' exposition valid, every expected target up, and the
    dashboards of a Grafana those that are committed. What is empty is told
    apart: idle (nothing happened), quiet (an alert whose condition is not
    met), not yet (too young), excused (not part of this system), or broken.

    Exits with 0 if all is well, 1 if anything is broken or unseen, 3 if
    Prometheus or Grafana does not answer, or no local stack runs.

    Examples:
      gx verify
      gx verify --all
      gx verify --grafana http://127.0.0.1:3000 --json
    """
    running = None if prometheus else find_running()
    url = prometheus or (running.prometheus_url if running else "")
    held = _read_conditions(condition or ()) | (running.conditions if running else frozenset())
    subject = Subject(
        prometheus_url=url,
        judge=_judge(),
        conditions=held,
        grafana=Grafana(grafana, token=grafana_token) if grafana else None,
        dashboards=_committed() if grafana else {},
    )
    try:
        rows = tuple(verify(subject))
    except (PrometheusError, GrafanaError) as error:
        raise NotRunningError(str(error)) from error
    _show(rows, all_rows=all_rows, as_json=as_json)
    if failing := sum(row.is_failing for row in rows):
        raise CheckFailedError(f"{failing} of {len(rows)} are not as they should be")


def _read_conditions(names: Sequence[str]) -> frozenset[Condition]:
    if unknown := [name for name in names if name not in _CONDITIONS]:
        raise UsageFailedError(f"no such condition: {', '.join(unknown)}; there is {_NAMES}")
    return frozenset(_CONDITIONS[name] for name in names)


def _judge() -> Judge:
    toolbox = find_tools(load(StackSettings).cache_dir, report=say)
    promtool = toolbox.tools.get(Program.PROMTOOL)
    if promtool is None:
        raise MonitoringError(toolbox.advice or "promtool is not there")
    return promtool_judge(promtool.path)


def _committed() -> dict[str, str]:
    """Return the dashboards as they are declared; Grafana's model is an extra of the package."""
    from gx.monitoring.dashboards.files import render_dashboards  # noqa: PLC0415 (an extra)

    return {PurePosixPath(path).stem: text for path, text in render_dashboards().items()}


def _show(rows: Sequence[Row], *, all_rows: bool, as_json: bool) -> None:
    counts = Counter(row.state for row in rows)
    if as_json:
        states: JsonObject = {state.value: counts[state] for state in State if counts[state]}
        listed: list[JsonValue] = [_describe(row) for row in rows]
        ok = not any(row.is_failing for row in rows)
        show_json({"ok": ok, "states": states, "rows": listed})
        return
    shown = [row for row in rows if all_rows or row.is_failing]
    if shown:
        show_table(
            ("what", "name", "state", "why"),
            ((row.kind, row.name, row.state, "; ".join([row.why, *row.evidence])) for row in shown),
        )
    for line in _sums(rows):
        show(line)


def _sums(rows: Sequence[Row]) -> list[str]:
    """Count each kind's states, a line a kind."""
    lines = []
    for kind in dict.fromkeys(row.kind for row in rows):
        counts = Counter(row.state for row in rows if row.kind is kind)
        mark = "BAD" if FAILING & set(counts) else "ok "
        parts = ", ".join(f"{counts[state]} {state}" for state in State if counts[state])
        lines.append(f"{mark}  {kind}s: {parts}")
    return lines


def _describe(row: Row) -> JsonObject:
    return {
        "kind": row.kind.value,
        "name": row.name,
        "state": row.state.value,
        "why": row.why,
        "cause": row.cause,
        "evidence": list(row.evidence),
    }
