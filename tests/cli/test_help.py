"""Help: complete, with examples, and fast."""

import inspect
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest
from typer.core import TyperCommand, TyperGroup
from typer.testing import CliRunner

from gx.cli.lazy import LazyCommand
from gx.cli.main import ENTRIES, app
from tests.cli.tree import subcommands

SOURCE: Final = Path(__file__).parents[2] / "src" / "gx" / "cli"
SUBCOMMANDS = list(subcommands())
NAMES = [name for name, _ in SUBCOMMANDS]
HELP_COLUMNS_MAX = 78  # a terminal's 80 columns less the margins


def help_of(command: TyperCommand | TyperGroup) -> str:
    """The text that --help shows above the options."""
    return inspect.cleandoc(command.help or "")


@pytest.mark.parametrize(("name", "command"), SUBCOMMANDS, ids=NAMES)
def test_every_help_has_examples_of_its_own(name: str, command: TyperCommand | TyperGroup) -> None:
    """Each example begins with the subcommand that it stands under, or sets its environment."""
    _, separator, examples = help_of(command).partition("Examples:")
    lines = [line.strip() for line in examples.splitlines() if line.strip()]

    assert separator, f"{name} has no examples"
    assert lines
    assert all(f"{name} " in f"{line.replace(')', ' ')} " for line in lines), lines


@pytest.mark.parametrize(("name", "command"), SUBCOMMANDS, ids=NAMES)
def test_help_fits_a_terminal(name: str, command: TyperCommand | TyperGroup) -> None:
    """No line of a help text wraps on 80 columns."""
    too_long = [line for line in help_of(command).splitlines() if len(line) > HELP_COLUMNS_MAX]

    assert not too_long, name


@pytest.mark.parametrize(("name", "command"), SUBCOMMANDS, ids=NAMES)
def test_every_option_and_argument_is_explained(
    name: str, command: TyperCommand | TyperGroup
) -> None:
    """Nothing is left to be guessed."""
    silent = [p.name for p in command.params if not getattr(p, "help", "") and p.name != "help"]

    assert not silent, name


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)
def test_the_list_says_what_the_subcommand_says(entry: object) -> None:
    """The line in `gx --help` is the first sentence of the subcommand's own help."""
    listed = next(e for e in ENTRIES if e is entry)
    first = help_of(LazyCommand(listed).load()).split("\n\n")[0].replace("\n", " ")

    assert first.startswith(listed.help.removesuffix("."))


@pytest.mark.parametrize("name", NAMES)
def test_every_help_can_be_shown(name: str) -> None:
    """`--help` of each subcommand exits with 0 and names itself."""
    result = CliRunner().invoke(app, [*name.split()[1:], "--help"], prog_name="gx")

    assert result.exit_code == 0
    assert f"Usage: {name}" in result.output


HEAVY = (
    "asyncpg cryptography fastapi gx.api gx.client gx.contracts gx.database gx.domain "
    "gx.ledger gx.operations gx.runtime gx.telemetry httpx pydantic_settings redis starlette "
    "structlog uvicorn"
)


def test_help_imports_nothing_heavy() -> None:
    """`gx --help` answers at once: no subcommand's module is imported for it."""
    script = (
        "import sys\n"
        "from gx.cli.main import app\n"
        "try:\n    app(['--help'], prog_name='gx')\n"
        "except SystemExit:\n    pass\n"
        f"print([name for name in {HEAVY.split()!r} if name in sys.modules], file=sys.stderr)\n"
    )

    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )

    assert "The local stack" in done.stdout
    assert done.stderr.strip() == "[]"


UNNEEDED: Final = {
    "gx.cli.money": "asyncpg cryptography fastapi jwt structlog",
    "gx.cli.stack": "cryptography fastapi jwt rich structlog",
    "gx.cli.ledger": "cryptography fastapi gx.client.client httpx jwt",
    "gx.cli.projection": "cryptography fastapi gx.client.client httpx jwt",
    "gx.cli.outbox": "fastapi gx.client.client httpx jwt",
    "gx.cli.api": "gx.cli.session gx.client.client",
}
"""What a subcommand must not import to begin with: somebody waits for it, or ten at a time."""


def imported_by(*modules: str) -> set[str]:
    """Return all that is imported in a process that imports these modules."""
    script = f"import sys, {', '.join(modules)}; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    return set(done.stdout.split())


@pytest.mark.parametrize("module", UNNEEDED)
def test_a_subcommand_does_not_wait_for_what_it_does_not_use(module: str) -> None:
    """Imports are most of what a short subcommand, and the start of a process, takes."""
    assert imported_by("gx.cli.output", module) & set(UNNEEDED[module].split()) == set()


LOGS_LATER: Final = """
from gx.cli.lazy import LazyCommand
from gx.cli.main import ENTRIES
LazyCommand(next(entry for entry in ENTRIES if entry.name == "transfer")).load()
import structlog
structlog.get_logger("a ledger's client").info("said_in_passing")
structlog.get_logger("a ledger's client").warning("said_with_reason")
"""


def test_no_log_line_reaches_stdout() -> None:
    """Not even of code that is imported when a subcommand runs, as a ledger's client is.

    Else a warning would stand among the results that a script reads.
    """
    done = subprocess.run(
        [sys.executable, "-c", LOGS_LATER], capture_output=True, text=True, check=True
    )

    assert done.stdout == ""
    assert "said_with_reason" in done.stderr
    assert "said_in_passing" not in done.stderr


def test_the_exit_codes_are_documented() -> None:
    """Scripts rely on them."""
    text = CliRunner().invoke(app, ["--help"]).output

    assert "Exit codes: 0 done" in text


def test_no_arguments_show_the_help() -> None:
    """Somebody who types `gx` learns what there is."""
    result = CliRunner().invoke(app, [])

    assert "The local stack" in result.output


def test_a_typing_mistake_gets_a_suggestion() -> None:
    """An unknown subcommand is a usage failure with a hint."""
    result = CliRunner().invoke(app, ["transfr"])

    assert result.exit_code == 2
    assert "transfer" in result.output


def test_the_version_is_shown() -> None:
    """`gx --version` prints the version alone."""
    result = CliRunner().invoke(app, ["--version"])

    assert result.exit_code == 0
    assert result.stdout.strip().count(".") == 2
