"""A past made of numbers: written as OpenMetrics, cut into blocks, served by a real Prometheus."""

import random
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx

from gx.runtime.prometheus import prometheus_command
from gx.runtime.tools import Program, Tool
from tests.ports import free_port

WITHIN_S: Final = 60.0
# 2026-01-05, a Monday, 00:00 UTC: of no meaning but that every run has the same nights.
START_S: Final = 1_767_571_200


@dataclass(frozen=True)
class Past:
    """One metric's past: a value, or None for a missed scrape, at every step from the start."""

    name: str
    labels: Mapping[str, str]
    values: Iterable[float | None]
    step_s: int = 15

    @property
    def text(self) -> str:
        """Its samples as OpenMetrics spells them."""
        labels = ",".join(f'{key}="{value}"' for key, value in self.labels.items())
        return "".join(
            f"{self.name}{{{labels}}} {value:g} {START_S + number * self.step_s}\n"
            for number, value in enumerate(self.values)
            if value is not None
        )


def flat(value: float, count: int, *bumps: tuple[int, int, float]) -> list[float | None]:
    """Make `count` equal values, but from `first` up to `end` another one."""
    values: list[float | None] = [value] * count
    for first, end, other in bumps:
        values[first:end] = [other] * (end - first)
    return values


def walk(seed: int, count: int, *, top: float) -> list[float | None]:
    """Make a seeded random walk between 0 and `top` that misses a scrape now and then."""
    chance = random.Random(seed)  # noqa: S311 (test data, and the same in every run)
    value, values = top / 3, list[float | None]()
    for _ in range(count):
        value = min(top, max(0.0, value + chance.gauss(0, top / 12)))
        values.append(None if chance.random() < 0.02 else round(value, 3))
    return values


def write_blocks(promtool: Tool, pasts: Iterable[Past], folder: Path) -> Path:
    """Write a past as a Prometheus' data; returns the data's folder."""
    text, data = folder / "past.txt", folder / "data"
    by_name: dict[str, list[Past]] = {}
    for past in pasts:
        by_name.setdefault(past.name, []).append(past)
    families = (
        f"# TYPE {name} gauge\n" + "".join(past.text for past in group)
        for name, group in by_name.items()
    )
    text.write_text("".join(families) + "# EOF\n")
    run_to_end(promtool, "tsdb", "create-blocks-from", "openmetrics", str(text), str(data))
    return data


def run_to_end(tool: Tool, *arguments: str) -> str:
    """Run a program to its end; fails with what it said if it did."""
    done = subprocess.run(
        [str(tool.path), *arguments],
        cwd=tool.working_folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


@contextmanager
def served(tools: Mapping[Program, Tool], data: Path, folder: Path, *flags: str) -> Iterator[str]:
    """Serve data with a Prometheus that scrapes nothing; yields its address."""
    configuration, port = folder / "prometheus.yml", free_port()
    configuration.write_text("global: {}\n")
    tool = tools[Program.PROMETHEUS]
    command = prometheus_command(
        tool, configuration=configuration, storage=data, port=port, retention_days=36_500
    )
    with running([*command, *flags], folder, cwd=tool.working_folder):
        url = f"http://127.0.0.1:{port}"
        until(lambda: answers(f"{url}/-/ready"))
        yield url


@contextmanager
def running(command: Iterable[str], folder: Path, cwd: Path | None = None) -> Iterator[None]:
    """Run a program as long as the block takes."""
    with (folder / "log").open("ab") as log:
        process = subprocess.Popen(list(command), cwd=cwd, stdout=log, stderr=log)
    try:
        yield
    finally:
        process.terminate()
        process.wait(timeout=30)


def answers(url: str) -> bool:
    """Say whether an address answers with success."""
    try:
        return httpx.get(url, timeout=10, trust_env=False).is_success
    except httpx.HTTPError:
        return False


def until(is_so: Callable[[], bool]) -> None:
    """Wait until something is so."""
    deadline = time.monotonic() + WITHIN_S
    while not is_so():
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.2)
