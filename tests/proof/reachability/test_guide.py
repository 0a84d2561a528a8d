"""The guides say what happens: each of their console blocks is run and compared."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parents[3]
GUIDES: Final = ("prove-reachability.md", "find-why-there-is-no-data.md")
_BLOCK: Final = re.compile(r"^```console\n\$ (.+?)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
TIMEOUT_S: Final = 120
BLOCKS: Final[list[tuple[str, str]]] = [
    block
    for name in GUIDES
    for block in _BLOCK.findall((ROOT / "docs" / "how-to" / name).read_text(encoding="utf-8"))
]


def _run(command: str) -> str:
    """Run a line of the guide in the checkout, and return what a terminal would show."""
    beside = str(Path(sys.executable).parent)
    inherited = os.environ | {  # noqa: TID251 (what the shell of a reader has, too)
        "PATH": os.pathsep.join((beside, os.environ["PATH"])),  # noqa: TID251 (as above)
        "COLUMNS": "200",
        "PYTHONUNBUFFERED": "1",
    }
    done = subprocess.run(
        ["bash", "-c", command],
        cwd=ROOT,
        env=inherited,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=TIMEOUT_S,
    )
    return "".join(f"{line.rstrip()}\n" for line in done.stdout.splitlines())


def test_the_guides_have_commands() -> None:
    """A pattern that finds none would find nothing wrong."""
    assert len(BLOCKS) == 4


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.xdist_group("kubernetes")
@pytest.mark.parametrize(("command", "shown"), BLOCKS, ids=range(len(BLOCKS)))
def test_a_command_of_the_guide_prints_what_it_shows(command: str, shown: str) -> None:
    """Whoever follows it sees the same."""
    assert _run(command) == shown
