"""Is what each process exposes valid? Judged by Prometheus' own linter, and by its parser."""

import subprocess
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

import httpx

from gx.monitoring.jobs import JOBS
from gx.proof.prometheus import Target
from gx.proof.verify.rows import Kind, Row, State
from gx.telemetry.catalogue import CATALOGUE

_TIMEOUT_S: Final = 10.0
_JOBS: Final = frozenset(JOBS.values())

EXCEPTED: Final = frozenset(
    metric.name for metric in CATALOGUE if metric.unit_exception or metric.by_client_library
)
"""What the linter may complain of: names that the original's rules quote, and the library's own."""

Judge = Callable[[bytes], tuple[bool, Sequence[str]]]
"""Judges an exposition: whether it can be parsed, and what the linter says of it, a line each."""


def promtool_judge(promtool: Path) -> Judge:
    """Make a judge of `promtool check metrics`."""

    def judge(exposition: bytes) -> tuple[bool, Sequence[str]]:
        answer = subprocess.run(  # noqa: S603 (promtool, on what was read)
            [str(promtool), "check", "metrics"],
            input=exposition,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
            timeout=_TIMEOUT_S,
        )
        lines = answer.stdout.decode(errors="replace").splitlines()
        is_parsed = not any("error while linting" in line for line in lines)
        return is_parsed, lines

    return judge


def verify_expositions(targets: Sequence[Target], judge: Judge) -> Iterator[Row]:
    """Yield a row for each of our processes that Prometheus scrapes."""
    ours = [target for target in targets if target.scrape_pool in _JOBS]
    # One that hangs keeps only itself waiting.
    with ThreadPoolExecutor(max_workers=max(len(ours), 1)) as pool:
        yield from pool.map(lambda target: _verify(target, judge), ours)


def _verify(target: Target, judge: Judge) -> Row:
    name = f"{target.scrape_pool}: {target.scrape_url}"
    try:
        response = httpx.get(target.scrape_url, timeout=_TIMEOUT_S, trust_env=False)
        response.raise_for_status()
    except httpx.HTTPError as error:
        why = f"not read from here: {error}"
        return Row(kind=Kind.EXPOSITION, name=name, state=State.UNSEEN, why=why)
    is_parsed, lines = judge(response.content)
    complaints = [line for line in lines if line.partition(" ")[0] not in EXCEPTED]
    if is_parsed and not complaints:
        return Row(kind=Kind.EXPOSITION, name=name, state=State.VALID)
    return Row(
        kind=Kind.EXPOSITION,
        name=name,
        state=State.BROKEN,
        why="; ".join(complaints),
        cause="bad-exposition",
    )
