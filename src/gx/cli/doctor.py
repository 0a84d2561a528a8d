"""`gx doctor`: why there is no data."""

from typing import Annotated, Final

import typer

from gx.cli.failures import CheckFailedError, UsageFailedError
from gx.cli.options import JsonOption
from gx.cli.output import show, show_json
from gx.cli.running_stack import find_running
from gx.proof.doctor.examine import Diagnosis, Sources, examine
from gx.proof.doctor.report import describe, lines, summary
from gx.proof.reachability.reading import read_manifests

COULD_NOT_LOOK: Final = 2

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
    query: Annotated[
        str | None, typer.Option("--query", help="Explain this one expression alone.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Find out why there is no data, why a target is down, why no alert comes.

    Give it whatever there is: a Prometheus, an Alertmanager, addresses of
    processes, manifests. Without any, it looks at the running local stack.
    For each fault it says what, where, by what evidence, and the smallest
    change that mends it. It changes nothing.

    Exits with 0 if nothing is wrong, 1 if something is, 2 if it could not look.

    Examples:
      gx doctor
      gx doctor --query 'sum(rate(outbox_commands_procesed_total[5m]))'
      gx doctor --prometheus http://127.0.0.1:30090 --manifests k8s/
      kubectl get deploy,sts,svc,netpol,ns -A -o json | gx doctor --manifests -
    """
    sources = Sources(
        prometheus_url=prometheus,
        alertmanager_url=alertmanager,
        processes=tuple(process or ()),
        inventory=read_manifests(manifests) if manifests else None,
        query=query,
    )
    if not (prometheus or alertmanager or process or manifests):
        sources = _of_running(query)
    if query is not None and sources.prometheus_url is None:
        raise UsageFailedError("a --query needs a --prometheus to be asked")
    _end(examine(sources), as_json=as_json)


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
        raise typer.Exit(COULD_NOT_LOOK)
    if diagnosis.faults:
        raise CheckFailedError(summary(diagnosis))
