"""Who follows the deployment guides sees what they print: manifests offline, metrics on a twin."""

import asyncio
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import pytest

from gx.runtime.settings import environment
from gx.runtime.tools import Program, find_tools
from tests.end_to_end.loop import Loop, running_loop
from tests.end_to_end.tour import Step, read_steps

ROOT: Final = Path(__file__).parents[2]
KUBERNETES_GUIDE: Final = ROOT / "docs" / "how-to" / "deploy-kubernetes.md"
MONITORING_GUIDE: Final = ROOT / "docs" / "how-to" / "deploy-monitoring.md"
NEEDED: Final = ("curl", "wget", "awk")
STEP_TIMEOUT_S: Final = 120
TWIN_PATIENCE_S: Final = 90.0
_TEMPORARY: Final = re.compile(r"(?<=[ >])/tmp\b/?")
_TIME: Final = re.compile(r" @\[[0-9.]+\]")


def _asks_the_twin(step: Step) -> bool:
    return "127.0.0.1" in step.command


def _offline_steps() -> list[Step]:
    steps = [*read_steps(KUBERNETES_GUIDE), *read_steps(MONITORING_GUIDE)]
    return [step for step in steps if not _asks_the_twin(step)]


def _twin_steps() -> list[Step]:
    return [step for step in read_steps(MONITORING_GUIDE) if _asks_the_twin(step)]


def _type(command: str, variables: Mapping[str, str]) -> list[str]:
    """Run a line in a shell at the root of the checkout; return what it printed, orderless."""
    done = subprocess.run(
        ["bash", "-c", command],
        cwd=ROOT,
        env=dict(variables),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=STEP_TIMEOUT_S,
    )
    return _comparable(done.stdout.splitlines())


def _comparable(lines: list[str] | tuple[str, ...]) -> list[str]:
    """Leave out when a sample was taken; a query's answers come in no order."""
    return sorted(_TIME.sub("", line).rstrip() for line in lines if line.strip())


def _variables(folder: Path) -> dict[str, str]:
    """Give a shell the checkout's programs, and no cluster."""
    known = dict(environment())
    missing = [name for name in NEEDED if shutil.which(name) is None]
    assert not missing, f"the guides use {missing}: apt-get install them"
    toolbox = find_tools(ROOT / ".cache")
    assert Program.PROMTOOL in toolbox.tools, toolbox.advice
    promtool = toolbox.tools[Program.PROMTOOL].path.parent
    path = f"{Path(sys.executable).parent}:{promtool}:{known['PATH']}"
    return known | {"PATH": path, "KUBECONFIG": str(folder / "none"), "NO_COLOR": "1"}


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_what_the_guides_print_offline_is_what_they_say(tmp_path: Path) -> None:
    """Builds, dry runs and patches of manifests, one after the other."""
    variables, steps = _variables(tmp_path), _offline_steps()
    assert len(steps) >= 8
    for step in steps:
        here = f"{tmp_path}/"
        expected = [_TEMPORARY.sub(here, line) for line in step.output]
        command = _TEMPORARY.sub(here, step.command)
        assert _type(command, variables) == _comparable(expected), step.command


@pytest.mark.slow
@pytest.mark.timeout(420)
@pytest.mark.xdist_group("deployment-guides")
async def test_what_the_guide_asks_prometheus_is_answered_by_the_twin_as_it_says(
    tmp_path: Path,
) -> None:
    """Targets, queries and the last step that has to come before success is declared."""
    steps = _twin_steps()
    assert len(steps) >= 8
    async with running_loop(environment={"GX_STACK_SCRAPE_INTERVAL_S": "1"}) as loop:
        variables = _variables(tmp_path) | {
            name: value for name, value in loop.environment.items() if name.startswith("GX_")
        }
        for step in steps:
            await _until_it_prints(step, loop, variables)


async def _until_it_prints(step: Step, loop: Loop, variables: Mapping[str, str]) -> None:
    """Scrapes and rules need some seconds after a start; what never comes true fails."""
    command, expected = _at_ports_of(loop, step.command), _comparable(step.output)
    give_up_s = time.monotonic() + TWIN_PATIENCE_S
    printed = await asyncio.to_thread(_type, command, variables)
    while printed != expected and time.monotonic() < give_up_s:
        await asyncio.sleep(1)
        printed = await asyncio.to_thread(_type, command, variables)
    assert printed == expected, command


def _at_ports_of(loop: Loop, command: str) -> str:
    for port, name in (
        ("30090", "GX_STACK_PROMETHEUS_PORT"),
        ("9090", "GX_SUBMITTER_METRICS_PORT"),
    ):
        command = command.replace(f"127.0.0.1:{port}", f"127.0.0.1:{loop.environment[name]}")
    return command


def test_the_guides_name_every_secret_with_its_keys() -> None:
    """Whoever makes the Secrets has nothing but these tables."""
    told = KUBERNETES_GUIDE.read_text("utf-8") + MONITORING_GUIDE.read_text("utf-8")
    manifests = "\n".join(
        path.read_text(encoding="utf-8")
        for folder in ("base", "components", "monitoring")
        for path in (ROOT / "k8s" / folder).rglob("*.yaml")
    )
    referred = re.findall(
        r"(?:secretName: |secret: \{name: |secretKeyRef: \{name: )([a-z-]+)", manifests
    )
    keys = re.findall(r"secretKeyRef: \{name: [a-z-]+, key: ([a-z_]+)\}", manifests)
    assert len(set(referred)) >= 10
    for name in {*referred, *keys}:
        assert f"`{name}" in told, name
