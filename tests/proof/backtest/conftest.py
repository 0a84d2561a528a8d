"""The monitoring programs, and a past that Prometheus serves."""

from contextlib import AbstractContextManager
from pathlib import Path
from typing import Final, Protocol

import pytest

from gx.runtime.tools import Program, Tool, find_tools
from tests.proof.backtest.past import Past, served, write_blocks

ROOT: Final = Path(__file__).parents[3]


@pytest.fixture(scope="session")
def tools() -> dict[Program, Tool]:
    """The monitoring programs of this machine; a missing one fails and says how to get it."""
    toolbox = find_tools(ROOT / ".cache")
    if toolbox.advice is not None:
        pytest.fail(toolbox.advice)
    return dict(toolbox.tools)


class ServePast(Protocol):
    """Serves a past from a folder."""

    def __call__(self, *pasts: Past, folder: Path) -> AbstractContextManager[str]:
        """Return a context that yields the address."""
        ...


@pytest.fixture
def serve_past(tools: dict[Program, Tool]) -> ServePast:
    """Write a past and serve it."""

    def serve(*pasts: Past, folder: Path) -> AbstractContextManager[str]:
        folder.mkdir(exist_ok=True)
        return served(tools, write_blocks(tools[Program.PROMTOOL], pasts, folder), folder)

    return serve
