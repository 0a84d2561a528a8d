"""The README's console blocks: what a newcomer types, and what the README says is printed."""

import asyncio
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.end_to_end.loop import Loop

PROMPT: Final = "$ "
_BLOCK: Final = re.compile(r"```console\n(.*?)```", re.DOTALL)
_VOLATILE: Final = (
    (re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}"), "ID"),
    (re.compile(r'"requestId":"[0-9a-f]{32}"'), '"requestId":"ID"'),
    (re.compile(r"\b[0-9a-f]{16}\b"), "HASH"),
    (re.compile(r"\b\d+(\.\d+)? ms"), "N ms"),
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"), "TIME"),
    (re.compile(r"(before|it is) 1[78]\d{8}\b"), r"\1 SECONDS"),
    (re.compile(r"(ends|ended) at \d+, (in )?\d+ s\b"), r"\1 SECONDS"),
    (re.compile(r"\d+ blocks, \d+ transactions and \d+ keys"), "N blocks"),
)
_TALKS_OF_LOAD: Final = "gx load"
_STATUS: Final = re.compile(r'"status":"(PENDING|PROCESSING|COMMITTED|PROJECTED)"')


@dataclass(frozen=True, slots=True)
class Step:
    """One command line and the lines that it prints."""

    command: str
    output: tuple[str, ...]


def read_steps(document: Path) -> Iterator[Step]:
    """List the steps of a document's console blocks, in order."""
    for block in _BLOCK.findall(document.read_text(encoding="utf-8")):
        for part in f"\n{block}".split(f"\n{PROMPT}")[1:]:
            command, *output = part.splitlines()
            yield Step(command, tuple(output))


def comparable(step: Step, output: str) -> list[str]:
    """Replace what differs from run to run: ids, hashes, times; under load every figure."""
    lines = [line.rstrip() for line in output.splitlines()]
    shown = [line for line in lines if line and not line.startswith("(")]
    return [_stable(line, is_load=_TALKS_OF_LOAD in step.command) for line in shown]


async def type_line(loop: Loop, command: str) -> str:
    """Run a line in a shell whose `gx` is this checkout's, against this loop's ports."""
    line = command.replace("127.0.0.1:8000", f"127.0.0.1:{loop.environment['GX_API_PORT']}")
    process = await asyncio.create_subprocess_shell(
        line,
        env=dict(loop.environment),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    return output.decode()


def _stable(line: str, *, is_load: bool) -> str:
    for pattern, word in _VOLATILE:
        line = pattern.sub(word, line)
    line = _STATUS.sub('"status":"ACCEPTED"', line)
    if is_load:
        line = re.sub(r"[\d.]+", "N", line)
        line = re.sub(r"\s+", " ", re.sub("─+", "─", line))
    return line
