"""`gx doctor`: why there is no data."""

from collections.abc import Sequence
from typing import Annotated

import typer

from gx.cli.failures import CheckFailedError, ExitCode, UsageFailedError
from gx.cli.options import JsonOption
from gx.cli.output import show, show_json
from gx.cli.running_stack import find_running
from gx.proof.doctor.dashboards import PlacedDashboard, read_dashboards
from gx.proof.doctor.examine import Diagnosis, Sources, examine
from gx.proof.doctor.report import describe, lines, summary
from gx.proof.grafana import Grafana
from gx.proof.reachability.catalogue import Catalogue
from gx.proof.reachability.explain import environments_in
from gx.proof.reachability.inventory import Inventory, ManifestError
from gx.proof.reachability.reading import read_manifests

app = typer.Typer(add_completion=False)


@app.command("doctor")
def doctor(
    prometheus: Annotated[
        str | None, typer.Option("--prometheus", help="Address of a Prometheus.")
    ] = None,
    alertmanager: Annotated[
        str | None, typer.Option("--alertmanager", help="Address of an Alertmanager.")
    ] = None,
    process: Annotated[
        list[str] | None,
        typer.Option("--process", help="Address of a process' metrics; repeat it."),
    ] = None,
    manifests: Annotated[
        list[str] | None,
        typer.Option(
            "--manifests",
            help="Files, folders, kustomizations, or - for `kubectl get -o json`; repeat it.",
        ),
    ] = None,
    dashboards: Annotated[
        list[str] | None,
        typer.Option("--dashboards", help="Files or folders of Grafana's JSON; repeat it."),
    ] = None,
    grafana: Annotated[
        str | None, typer.Option("--grafana", help="Address of a Grafana, for its dashboards.")
    ] = None,
    grafana_token: Annotated[
        str | None, typer.Option("--grafana-token", help="A service account's token.")
    ] = None,
    query: Annotated[
        str | None, typer.Option("--query", help="Explain this one expression alone.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Find out why there is no data, why a target is down, why no alert comes.

    Give it whatever there is: a Prometheus, an Alertmanager, addresses of
    processes, manifests, dashboards. Without any, it looks at the running
    local stack. For each fault it says what, where, by what evidence, and the
    smallest change that mends it. It changes nothing.

    Exits with 0 if nothing is wrong, 1 if something is, 2 if manifests or
    dashboards cannot be read, 3 if a source does not answer or no stack runs.
    An Alertmanager or a process that does not answer is what is looked for,
    and so a fault.

    Examples:
      gx doctor
      gx doctor --query 'sum(rate(outbox_commands_procesed_total[5m]))'
      gx doctor --manifests k8s/overlays/devnet --manifests k8s/monitoring
      kubectl get deploy,sts,svc,netpol,ns -A -o json | gx doctor --manifests -
    """
    sources = Sources(
        prometheus_url=prometheus,
        alertmanager_url=alertmanager,
        processes=tuple(process or ()),
        inventory=_inventory(manifests),
        query=query,
        dashboards=_dashboards(dashboards or ()),
        grafana=Grafana(grafana, token=grafana_token) if grafana else None,
    )
    if not (prometheus or alertmanager or process or manifests or dashboards or grafana):
        sources = _of_running(query)
    if query is not None and sources.prometheus_url is None:
        raise UsageFailedError("a --query needs a --prometheus to be asked")
    _end(examine(sources), as_json=as_json)


def _inventory(sources: Sequence[str] | None) -> Inventory | None:
    if not sources:
        return None
    try:
        inventory = read_manifests(sources)
    except ManifestError as error:
        raise UsageFailedError(str(error)) from error
    if not environments_in(inventory, Catalogue()):
        raise UsageFailedError(
            f"{', '.join(sources)} has nothing in a namespace backend-…: give a kustomization "
            "such as k8s/overlays/devnet, which says in which namespace its objects are"
        )
    return inventory


def _dashboards(sources: Sequence[str]) -> tuple[PlacedDashboard, ...]:
    try:
        return tuple(each for source in sources for each in read_dashboards(source))
    except ManifestError as error:
        raise UsageFailedError(str(error)) from error


def _of_running(query: str | None) -> Sources:
    running = find_running()
    return Sources(
        prometheus_url=running.prometheus_url,
        alertmanager_url=running.alertmanager_url,
        processes=running.processes,
        query=query,
        conditions=running.conditions,
    )


def _end(diagnosis: Diagnosis, *, as_json: bool) -> None:
    if as_json:
        show_json(describe(diagnosis))
    else:
        for line in lines(diagnosis):
            show(line)
    if diagnosis.unasked:
        raise typer.Exit(ExitCode.UNREACHABLE)
    if diagnosis.faults:
        raise CheckFailedError(summary(diagnosis))
