"""The monitoring programs of this machine: from PATH, from the cache, else fetched."""

from pathlib import Path
from typing import Final

import pytest

from gx.runtime.tools import Program, Tool, find_tools

ROOT: Final = Path(__file__).parents[3]


@pytest.fixture(scope="session")
def tools() -> dict[Program, Tool]:
    """The programs; a missing one fails and says how to get it."""
    toolbox = find_tools(ROOT / ".cache")
    if toolbox.advice is not None:
        pytest.fail(toolbox.advice)
    return dict(toolbox.tools)
