"""Judges what operators get: the declarations by us, the rendered files by the real programs."""

import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import yaml

from gx.monitoring.alertmanager.routing import Destinations, build_configuration
from gx.monitoring.alertmanager.validate import find_routing_faults
from gx.monitoring.alerts import ALERTS
from gx.monitoring.cases.catalogue import CASES
from gx.monitoring.cases.coverage import Coverage, cases_of, cover
from gx.monitoring.cases.model import Case
from gx.monitoring.cases.promtool import Command, find_failures
from gx.monitoring.errors import MonitoringError
from gx.monitoring.faults import find_declaration_faults
from gx.monitoring.kubernetes_scrape import prometheus_config
from gx.monitoring.local import RULES_FILE, LocalStack, write_local
from gx.monitoring.model import Alert
from gx.monitoring.runbooks import FOLDER
from gx.runtime.tools import Program, Tool, Toolbox

WORKERS: Final = 2


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at, and what is wrong with it."""

    name: str
    faults: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Proof:
    """What an alert's cases show, and which of them promtool contradicts."""

    coverage: Coverage
    failures: tuple[str, ...]


def lint_monitoring(
    environments: Sequence[str], root: Path, toolbox: Toolbox, *, upstream: Path | None = None
) -> Iterator[Check]:
    """Yield every check in turn: declarations, routing, dashboards, then the rendered files.

    Debian's promtool does not know Kubernetes' discovery; `upstream` is one that does, and judges
    that configuration, too.

    Raises:
        MonitoringError: promtool or amtool is not there; the text says how to have them.
    """
    yield Check(
        "declarations: metrics, labels, families, cases, drills, runbooks",
        find_declaration_faults(environments, root / FOLDER),
    )
    yield Check("routing", find_routing_faults(build_configuration(Destinations()), ALERTS))
    yield Check("dashboards: 17 rules", tuple(_dashboard_faults(environments)))
    promtool, _ = find_promtool(toolbox)
    amtool = _command(_tool(toolbox, Program.AMTOOL))
    with tempfile.TemporaryDirectory(prefix="gx-lint-") as folder:
        files = write_local(LocalStack(), Path(folder))
        name = "the local Prometheus and every rule: promtool"
        yield _judge(name, promtool, "check", "config", str(files.prometheus))
        name = "the local Alertmanager: amtool"
        yield _judge(name, amtool, "check-config", str(files.alertmanager))
        if upstream is not None:
            program, version = find_promtool(toolbox, upstream)
            yield from _judge_upstream(program, version, environments, Path(folder))


def _judge_upstream(
    program: Command, version: str, environments: Sequence[str], folder: Path
) -> Iterator[Check]:
    path = folder / "kubernetes.yml"
    path.write_text(yaml.safe_dump(prometheus_config(environments, "gx")), encoding="utf-8")
    name = f"Prometheus on Kubernetes: {version}"
    yield _judge(name, program, "check", "config", "--syntax-only", str(path))
    yield _judge(f"every rule: {version}", program, "check", "rules", str(folder / RULES_FILE))


def prove_rules(
    alerts: Sequence[Alert],
    promtool: Command,
    report: Callable[[Proof], None],
    cases: Sequence[Case] = CASES,
) -> tuple[Proof, ...]:
    """Let promtool run every case of these alerts; `report` gets each proof as it is done."""

    def prove(alert: Alert) -> Proof:
        with tempfile.TemporaryDirectory(prefix="gx-rules-") as folder:
            failures = find_failures(alert, cases_of(alert, cases), promtool, Path(folder))
        return Proof(cover(alert, cases), failures)

    proofs = []
    with ThreadPoolExecutor(max_workers=WORKERS) as executor:
        for proof in executor.map(prove, alerts):
            report(proof)
            proofs.append(proof)
    return tuple(proofs)


def find_promtool(toolbox: Toolbox, path: Path | None = None) -> tuple[Command, str]:
    """Return promtool and its version: the one at `path`, else that of the toolbox.

    Raises:
        MonitoringError: There is none; the text says how to have it.
    """
    if path is None:
        program = _command(_tool(toolbox, Program.PROMTOOL))
    else:
        program = Command(path=path.absolute())
    try:
        lines = program.run("--version").stdout.splitlines()
    except OSError as error:
        raise MonitoringError(f"{program.path} does not start: {error.strerror}") from error
    return program, lines[0] if lines else "promtool"


def _tool(toolbox: Toolbox, program: Program) -> Tool:
    try:
        return toolbox.tools[program]
    except KeyError:
        raise MonitoringError(toolbox.advice or f"{program} is missing") from None


def _command(tool: Tool) -> Command:
    return Command(path=tool.path, working_folder=tool.working_folder)


def _judge(name: str, program: Command, *arguments: str) -> Check:
    answer = program.run(*arguments)
    return Check(name, (answer.stdout.strip(),) if answer.returncode else ())


def _dashboard_faults(environments: Sequence[str]) -> Iterator[str]:
    # Grafana's model is an extra of the package, and only this check needs it.
    from gx.monitoring.dashboards.every import dashboards_of  # noqa: PLC0415
    from gx.monitoring.dashboards.files import exemptions_of, render_dashboards  # noqa: PLC0415
    from gx.monitoring.dashboards.lint import lint  # noqa: PLC0415

    try:
        texts = render_dashboards(environments=environments)
    except MonitoringError as error:
        yield from str(error).splitlines()
        return
    for dashboard, text in zip(dashboards_of(environments), texts.values(), strict=True):
        for finding in lint(text, exemptions_of(dashboard)):
            yield f"{dashboard.uid}: {finding.panel or 'the page'}: {finding.rule}: {finding.text}"
