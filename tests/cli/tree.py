"""The tree of subcommands, loaded whole."""

from collections.abc import Iterator

from typer.core import TyperCommand, TyperGroup

from gx.cli.lazy import LazyCommand
from gx.cli.main import ENTRIES


def subcommands() -> Iterator[tuple[str, TyperCommand | TyperGroup]]:
    """Yield every subcommand with its full name, groups before their own."""
    for entry in ENTRIES:
        yield from _below(f"gx {entry.name}", LazyCommand(entry).load())


def _below(
    name: str, command: TyperCommand | TyperGroup
) -> Iterator[tuple[str, TyperCommand | TyperGroup]]:
    yield name, command
    if isinstance(command, TyperGroup):
        for own_name, child in command.commands.items():
            assert isinstance(child, TyperCommand | TyperGroup)
            yield from _below(f"{name} {own_name}", child)
