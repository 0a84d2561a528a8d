"""Subcommands whose modules are imported when they are used, not when `gx --help` lists them."""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import ClassVar, cast

import typer
from typer.core import TyperCommand, TyperGroup
from typing_extensions import override


@dataclass(frozen=True, slots=True)
class Entry:
    """A subcommand of `gx`: its name, the module whose `app` has it, and one line of help.

    A module whose app bears that name (`user`) stands for the whole group.
    """

    name: str
    module: str
    help: str
    panel: str


class LazyCommand(TyperCommand):
    """Stands for a subcommand in lists; becomes the real one when it is called."""

    def __init__(self, entry: Entry) -> None:
        super().__init__(entry.name, help=entry.help, rich_help_panel=entry.panel)
        self._entry = entry

    def load(self) -> TyperCommand | TyperGroup:
        """Import the module and return the real command; its results have stdout to themselves."""
        from gx.cli.output import send_logs_to_stderr  # noqa: PLC0415 (--help must not pay for it)

        app: object = import_module(self._entry.module).app
        send_logs_to_stderr()
        if not isinstance(app, typer.Typer):
            raise TypeError(f"{self._entry.module}.app is no typer application")
        real = typer.main.get_command(app)
        if isinstance(real, TyperGroup) and app.info.name != self._entry.name:
            real = real.commands[self._entry.name]
        return cast("TyperCommand | TyperGroup", real)

    # Typer's own command and context types have no public name: hence the casts.
    @override
    def make_context(
        self, info_name: str | None, args: list[str], parent: object = None, **extra: object
    ) -> typer.Context:
        context = self.load().make_context(
            info_name, args, cast("typer.Context | None", parent), **extra
        )
        return cast("typer.Context", context)


class LazyGroup(TyperGroup):
    """A group that lists its `ENTRIES` without importing them."""

    ENTRIES: ClassVar[Sequence[Entry]] = ()

    @override
    def list_commands(self, ctx: object) -> list[str]:
        return [entry.name for entry in self.ENTRIES]

    @override
    def get_command(self, ctx: object, cmd_name: str) -> LazyCommand | None:
        return next((LazyCommand(e) for e in self.ENTRIES if e.name == cmd_name), None)

    @override
    def resolve_command(
        self, ctx: object, args: list[str]
    ) -> tuple[str | None, TyperCommand | None, list[str]]:
        # Typer looks here for names that are like a mistyped one.
        self.commands = {entry.name: LazyCommand(entry) for entry in self.ENTRIES}
        name, command, rest = super().resolve_command(cast("typer.Context", ctx), args)
        return name, cast("TyperCommand | None", command), rest
