"""`gx reachability`: who reaches whom, by manifests alone."""

from typing import Annotated

import typer

from gx.cli.failures import CheckFailedError, UsageFailedError
from gx.cli.options import JsonOption
from gx.cli.output import say, show, show_json, show_table
from gx.monitoring.kubernetes.cluster import Cluster
from gx.proof.reachability.catalogue import Catalogue
from gx.proof.reachability.explain import environments_in, explain_flows
from gx.proof.reachability.findings import Finding
from gx.proof.reachability.inventory import Inventory, ManifestError
from gx.proof.reachability.reading import read_manifests
from gx.proof.reachability.report import (
    HEADINGS,
    describe_all,
    reason_lines,
    summary,
    table_rows,
)

app = typer.Typer(add_completion=False)


@app.command("reachability")
def reachability(
    manifests: Annotated[
        list[str],
        typer.Argument(
            help="Files, folders, kustomizations, or - for stdin; all together are the cluster."
        ),
    ],
    environment: Annotated[
        list[str] | None,
        typer.Option(
            "--environment", help="Judge this environment; repeat it. Else all in the manifests."
        ),
    ] = None,
    only: Annotated[
        str | None,
        typer.Option("--only", help="Judge only what has this text in its table row."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Say from manifests what reaches what, and which policy is in the way.

    Every scrape job, probe and flow of the catalogue is followed through
    Services, labels, ports and NetworkPolicies, on both sides. For what is
    blocked, the smallest rule that opens it is printed with the line that
    applies it. Nothing is asked of a cluster, and nothing is changed.

    Exits with 1 if something is not reachable, 2 if manifests cannot be read
    or have no environment to judge.

    Examples:
      gx reachability k8s/overlays/devnet k8s/monitoring
      kubectl get deploy,sts,ds,job,svc,netpol,ns -A -o json | gx reachability -
      gx reachability k8s/overlays/mainnet k8s/monitoring --only gx-projector
    """
    try:
        inventory = read_manifests(manifests)
    except ManifestError as error:
        raise UsageFailedError(str(error)) from error
    catalogue = _catalogue(inventory, environment)
    findings = explain_flows(inventory, catalogue)
    if only is not None:
        findings = tuple(
            each
            for each, row in zip(findings, table_rows(findings), strict=True)
            if any(only in cell for cell in row)
        )
    if as_json:
        show_json(describe_all(findings, dict(inventory.unread)))
    else:
        _print(findings, inventory)
    if wrong := sum(not each.is_reachable for each in findings):
        raise CheckFailedError(f"{wrong} of {len(findings)} are not reachable")


def _catalogue(inventory: Inventory, environments: list[str] | None) -> Catalogue:
    """Return what to judge by: the environments that were named, else those that are there."""
    known = Cluster().environments
    if unknown := sorted(set(environments or ()) - set(known)):
        raise UsageFailedError(f"no such environment: {', '.join(unknown)}; there is {known}")
    there = tuple(environments or ()) or environments_in(inventory, Catalogue())
    if not there:
        raise UsageFailedError(
            "the manifests have nothing in a namespace backend-…: name the --environment "
            "that should be there, or give its manifests, too"
        )
    return Catalogue.of(there)


def _print(findings: tuple[Finding, ...], inventory: Inventory) -> None:
    show_table(HEADINGS, table_rows(findings))
    for line in reason_lines(findings):
        show(line)
    for kind, count in inventory.unread.items():
        say(f"not judged: {count} {kind} of another API, which may close or open more")
    show(summary(findings))
