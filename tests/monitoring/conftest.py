"""Real promtool, amtool and servers: from PATH, from the cache, else fetched; never skipped."""

import subprocess
from pathlib import Path
from typing import Final, Protocol

import pytest

from gx.runtime.tools import Program, Tool, find_tools

ROOT: Final = Path(__file__).parents[2]


class RunTool(Protocol):
    """Runs a program to its end, with `text` as its input."""

    def __call__(
        self, program: Program, *arguments: str, text: str | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Return what it said, its errors too."""
        ...


@pytest.fixture(scope="session")
def tools() -> dict[Program, Tool]:
    """The monitoring programs of this machine; a missing one fails and says how to get it."""
    toolbox = find_tools(ROOT / ".cache")
    if toolbox.advice is not None:
        pytest.fail(toolbox.advice)
    return dict(toolbox.tools)


@pytest.fixture
def run_tool(tools: dict[Program, Tool]) -> RunTool:
    """Run a program to its end and return what it said."""

    def run(
        program: Program, *arguments: str, text: str | None = None
    ) -> subprocess.CompletedProcess[str]:
        tool = tools[program]
        return subprocess.run(
            [str(tool.path), *arguments],
            cwd=tool.working_folder,
            input=text,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=120,
        )

    return run
