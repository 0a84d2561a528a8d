"""`gx monitoring`: what the metrics say, and the files that operators get."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from gx.cli.failures import CheckFailedError
from gx.cli.options import JsonOption
from gx.cli.output import say, show_json, show_table
from gx.cli.running_stack import conditions_of, exporting_processes
from gx.domain.codec import JsonObject, JsonValue
from gx.monitoring.alertmanager.files import ON_KUBERNETES, render_alertmanager_files
from gx.monitoring.alerts import ALERTS
from gx.monitoring.compose import render_compose
from gx.monitoring.drills import drill_of
from gx.monitoring.kubernetes.cluster import Cluster
from gx.monitoring.kubernetes.files import render_kubernetes
from gx.monitoring.live import LiveMetric, check_live, check_used, missing
from gx.monitoring.model import Alert, Links
from gx.monitoring.reference import (
    coverage_line,
    describe_alert,
    describe_coverage,
    describe_metrics,
    exporters_of,
    render_reference,
    unit_of,
)
from gx.monitoring.render import Deployment, render_files, stale_files, write_files
from gx.monitoring.runbooks import FOLDER, facts_of
from gx.monitoring.usage import needs_of, uses
from gx.runtime.alerting import on_kubernetes
from gx.runtime.settings import CommonSettings, MonitoringSettings, StackSettings, load
from gx.runtime.stack import stack_folder
from gx.runtime.tools import Program, Toolbox, find_tools
from gx.telemetry.catalogue.usage import Moved

if TYPE_CHECKING:
    from gx.operations.monitoring_checks import Proof

_PROMETHEUS: Final = Program.PROMETHEUS.value

app = typer.Typer(name="monitoring", no_args_is_help=True, add_completion=False)


@app.callback()
def group() -> None:
    """Write, check and explain alerts.

    And all else that operators get: rules, dashboards, policies and runbooks.

    Examples:
      gx monitoring metrics --live
      gx monitoring render --check
      gx monitoring test
      gx monitoring explain OutboxQueueCritical
    """


@app.command("render")
def render(
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; exit with 1 if a file is stale.")
    ] = False,
    environment: Annotated[
        list[str] | None,
        typer.Option(
            "--environment", help="A deployed environment; repeat it. Else GX_ENVIRONMENTS."
        ),
    ] = None,
    root: Annotated[Path, typer.Option("--root", help="The checkout.")] = Path(),
) -> None:
    """Write rules, dashboards, network policies and the facts in the runbooks.

    An environment that is named and not deployed counts as down.

    Examples:
      gx monitoring render
      gx monitoring render --check
      gx monitoring render --environment mainnet --root /tmp/mainnet
    """
    # Grafana's model is an extra of the package, and only this subcommand needs it.
    from gx.monitoring.dashboards.files import render_dashboards  # noqa: PLC0415

    deployment = _deployment(environment)
    files = render_files(deployment, root)
    dashboards = render_dashboards(
        runbooks=deployment.links.runbooks, environments=deployment.environments
    )
    files |= {Path(path): text for path, text in dashboards.items()}
    files |= render_alertmanager_files(
        on_kubernetes(ON_KUBERNETES), operator_release=deployment.operator_release
    )
    files |= render_kubernetes(Cluster(environments=deployment.environments), files)
    files |= render_compose()
    stale = stale_files(files, root)
    if check and stale:
        names = ", ".join(str(path) for path in stale)
        raise CheckFailedError(f"stale: {names}. Run `gx monitoring render` and commit.")
    if not check:
        write_files({path: files[path] for path in stale}, root)
    say(f"{len(files)} files, {len(stale)} of them written anew")


def _deployment(environments: Sequence[str] | None) -> Deployment:
    """Return what the files are rendered for, as the settings say."""
    settings = load(MonitoringSettings)
    default = Deployment()
    return Deployment(
        environments=tuple(environments or settings.environments.split(",")),
        links=Links(runbooks=settings.runbook_base_url, dashboards=settings.dashboard_base_url),
        operator_release=settings.operator_release,
        cluster=settings.cluster,
        prometheus_url=settings.prometheus_external_url or default.prometheus_url,
        alertmanager_url=settings.alertmanager_external_url or default.alertmanager_url,
    )


@app.command("lint")
def lint(
    root: Annotated[Path, typer.Option("--root", help="The checkout.")] = Path(),
    promtool: Annotated[
        Path | None, typer.Option("--promtool", help="Also judge with this one (Prometheus 3).")
    ] = None,
) -> None:
    """Look for faults in declarations, routing, dashboards and rendered files.

    Rules and configurations are judged by real promtool and amtool. Exits with
    1 if anything is wrong, and names it. Upstream's promtool also judges what
    Debian's cannot read: the configuration for Kubernetes (`make prometheus3`).

    Examples:
      gx monitoring lint
      gx monitoring lint --promtool .cache/prometheus3/promtool
    """
    from gx.operations.monitoring_checks import lint_monitoring  # noqa: PLC0415 (half a second)

    faults: list[str] = []
    environments = _deployment(None).environments
    for check in lint_monitoring(environments, root, _toolbox(), upstream=promtool):
        print(f"{'ok  ' if not check.faults else 'BAD '}  {check.name}")
        faults += check.faults
    if faults:
        raise CheckFailedError("\n".join([f"{len(faults)} faults:", *faults]))


@app.command("test")
def run_cases(
    names: Annotated[list[str] | None, typer.Argument(help="Alerts; else every one.")] = None,
    promtool: Annotated[
        Path | None, typer.Option("--promtool", help="Another promtool than Debian's.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Let a real promtool run every case of the alerts, and count what they show.

    Each alert fires just over its threshold, is silent just under, resolves, and
    passes its traps. Exits with 1 if promtool contradicts one.

    Examples:
      gx monitoring test
      gx monitoring test OutboxQueueBuildup --json
      gx monitoring test --promtool .cache/prometheus3/promtool
    """
    from gx.operations.monitoring_checks import find_promtool, prove_rules  # noqa: PLC0415

    alerts = [_alert(name) for name in names] if names else ALERTS
    program, version = find_promtool(_toolbox(), promtool)
    proofs = prove_rules(alerts, program, lambda proof: say(_verdict(proof)))
    _show_proofs(proofs, version, as_json=as_json)
    if failures := [failure for proof in proofs for failure in proof.failures]:
        raise CheckFailedError("\n".join(failures))


@app.command("reference")
def reference(
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="The file to write; else stdout.")
    ] = None,
) -> None:
    """Write the reference: metrics, alerts, recording rules, scrape jobs, panels.

    Examples:
      gx monitoring reference --output docs/reference/monitoring.md
    """
    text = render_reference()
    if output is None:
        print(text, end="")
        return
    output.write_text(text, encoding="utf-8")
    say(f"wrote {output}")


@app.command("explain")
def explain(
    name: Annotated[str, typer.Argument(help="The alert's name.")], as_json: JsonOption = False
) -> None:
    """Say when an alert fires, what it needs, who is told, and how soon.

    What it needs: its recording rules and metrics, who exports them, and the
    scrape jobs that bring them.

    Examples:
      gx monitoring explain FabricCircuitBreakerOpen
      gx monitoring explain ProjectionLagCritical --json
    """
    alert = _alert(name)
    drill = drill_of(alert)
    if as_json:
        show_json(describe_alert(alert, drill))
        return
    print(f"{alert.name}\n{facts_of(alert).rstrip()}\n\nIt needs:\n")
    show_table(
        ("series", "exported by", "scraped by", "meaning"),
        (
            (need.name, ", ".join(need.exported_by), ", ".join(need.jobs), need.help)
            for need in needs_of(alert)
        ),
    )
    collateral = ", ".join(sorted(drill.collateral - {alert.name})) or "no other alert"
    print(f"Drill {drill.name}, {drill.stage}: {drill.fault}. May fire beside it: {collateral}.")
    print(f"Runbook: {FOLDER}/{alert.name}.md")


def _alert(name: str) -> Alert:
    found = next((each for each in ALERTS if each.name.lower() == name.lower()), None)
    if found is None:
        names = ", ".join(each.name for each in ALERTS)
        raise typer.BadParameter(f"no alert is called {name}. There are: {names}")
    return found


def _toolbox() -> Toolbox:
    return find_tools(load(StackSettings).cache_dir, report=say)


def _verdict(proof: "Proof") -> str:
    return f"{proof.coverage.alert.name}: {'FAILED' if proof.failures else 'ok'}"


def _show_proofs(proofs: Sequence["Proof"], version: str, *, as_json: bool) -> None:
    if as_json:
        rows: list[JsonValue] = [describe_coverage(each.coverage, each.failures) for each in proofs]
        show_json({"promtool": version, "alerts": rows})
        return
    show_table(
        ("alert", "fires>", "silent>", "resolves>", "more>", "traps", "promtool"),
        (
            (
                proof.coverage.alert.name,
                *coverage_line(proof.coverage),
                "FAILED" if proof.failures else "ok",
            )
            for proof in proofs
        ),
    )
    print(f"{len(proofs)} alerts; {version}")


@app.command("metrics")
def metrics(
    live: Annotated[
        bool, typer.Option("--live", help="Ask Prometheus which of them have data.")
    ] = False,
    used: Annotated[
        bool, typer.Option("--used", help="Also require that work has moved what it moves.")
    ] = False,
    prometheus: Annotated[
        str | None, typer.Option("--prometheus", help="Its address; else the local stack's.")
    ] = None,
    namespace: Annotated[
        str | None, typer.Option("--namespace", help="The namespace label of the targets.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """List every metric with what uses it; with --live, whether it has data.

    Metrics of our processes and of the exporters; --json names the alerts and
    panels that read each.

    With --live it exits with 1 if one is missing. What rightly has no data
    here is excused. Counters are there at 0 from the start: after some commands
    went through, --used exits with 1 if one that they move is still at 0.

    Examples:
      gx monitoring metrics
      gx monitoring metrics --live
      gx monitoring metrics --used
      gx monitoring metrics --live --prometheus http://127.0.0.1:30090 --json
    """
    if not (live or used):
        _show_catalogue(as_json=as_json)
        return
    url = prometheus or f"http://127.0.0.1:{_prometheus_port()}"
    label = namespace or f"backend-{load(CommonSettings).environment}"
    state = stack_folder().read()
    held, processes = conditions_of(state), exporting_processes(state)
    rows = check_live(url, namespace=label, conditions=held, processes=processes)
    unmoved = check_used(url, namespace=label, conditions=held, processes=processes) if used else ()
    _show_check(rows, unmoved, as_json=as_json)
    if lost := missing(rows):
        names = ", ".join(row.metric.name for row in lost)
        raise CheckFailedError(f"{len(lost)} metrics have no data in {url}: {names}")
    if unmoved:
        names = ", ".join(_spelt(moved) for moved in unmoved)
        raise CheckFailedError(f"{len(unmoved)} numbers are still at 0 in {url}: {names}")


def _show_check(rows: Sequence[LiveMetric], unmoved: Sequence[Moved], *, as_json: bool) -> None:
    if not as_json:
        _show_live(rows)
        return
    items: list[JsonValue] = [_wire(row) for row in rows]
    still: list[JsonValue] = [_spelt(moved) for moved in unmoved]
    ok = not missing(rows) and not unmoved
    show_json({"ok": ok, "metrics": items, "unmoved": still})


def _spelt(moved: Moved) -> str:
    """Write a number as Prometheus does: name{label="value"}."""
    labels = ",".join(f'{name}="{value}"' for name, value in moved.labels.items())
    return moved.metric.name + (f"{{{labels}}}" if labels else "")


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


def _show_catalogue(*, as_json: bool) -> None:
    if as_json:
        show_json({"metrics": list[JsonValue](describe_metrics())})
        return
    show_table(
        ("metric", "type", "unit", "labels", "exported by", "alerts>", "panels>"),
        (
            (
                use.metric.name,
                use.metric.kind,
                unit_of(use),
                ", ".join(use.metric.label_names),
                ", ".join(exporters_of(use)),
                str(len(use.alerts)),
                str(len(use.panels)),
            )
            for use in uses()
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
