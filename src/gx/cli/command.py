"""`gx command`: where commands stand."""

from typing import Annotated

import typer

from gx.cli.options import CursorOption, JsonOption, LimitOption, TokenOption, UrlOption
from gx.cli.output import say, show, show_fields, show_json, show_table, time_text
from gx.cli.session import Target, talk
from gx.client.answers import Command
from gx.client.client import GxClient
from gx.domain.codec import JsonValue, encode
from gx.domain.command_status import CommandStatus
from gx.domain.identifiers import CommandId
from gx.domain.roles import TokenRole

app = typer.Typer(name="command", no_args_is_help=True, add_completion=False)

CommandArgument = Annotated[
    str, typer.Argument(metavar="COMMAND-ID", help="The id with which it was accepted.")
]


@app.callback()
def group() -> None:
    """Show, watch and list commands.

    Examples:
      gx command list --status DEAD
    """


@app.command("show")
def show_one(
    command_id: CommandArgument,
    url: UrlOption = None,
    token: TokenOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show one command: what it asks for, and what became of it.

    Examples:
      gx command show 01890a5d-ac96-774b-bcce-b302099a8057
      gx command show 01890a5d-ac96-774b-bcce-b302099a8057 --json
    """
    found = talk(
        Target(url=url, token=token),
        TokenRole.ADMIN,
        lambda client: client.find_command(CommandId(command_id)),
    )
    if as_json:
        show_json(found.to_wire())
    else:
        show_fields(_fields(found))


@app.command("watch")
def watch(
    command_id: CommandArgument,
    url: UrlOption = None,
    token: TokenOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show each status of a command as it comes, until the final one.

    With --json, each line of stdout is the command as one JSON object.
    Exits with 1 if the command had no effect.

    Examples:
      gx command watch 01890a5d-ac96-774b-bcce-b302099a8057
    """

    async def follow(client: GxClient) -> Command | None:
        newest = None
        async for newest in client.watch(CommandId(command_id)):
            show(newest.to_text() if as_json else _line(newest))
        return newest

    last = talk(Target(url=url, token=token), TokenRole.ADMIN, follow)
    if last is not None:
        last.require_effect()


@app.command("list")
def list_commands(
    status: Annotated[
        CommandStatus | None, typer.Option("--status", help="Only those with this status.")
    ] = None,
    limit: LimitOption = 20,
    cursor: CursorOption = None,
    url: UrlOption = None,
    token: TokenOption = None,
    as_json: JsonOption = False,
) -> None:
    """List commands, newest first.

    Examples:
      gx command list
      gx command list --status REJECTED --limit 5 --json
    """
    page = talk(
        Target(url=url, token=token),
        TokenRole.ADMIN,
        lambda client: client.commands(status=status, limit=limit, cursor=cursor),
    )
    if as_json:
        items: list[JsonValue] = [found.to_wire() for found in page.items]
        show_json({"items": items, "nextCursor": page.next_cursor})
        return
    show_table(
        ("command id", "type", "status", "code", "actor", "accepted"),
        (
            (
                found.command_id,
                found.command_type,
                found.status,
                found.code or "",
                found.actor,
                time_text(found.accepted_at_ms),
            )
            for found in page.items
        ),
    )
    if page.next_cursor:
        say(f"More: --cursor {page.next_cursor}")


def _line(found: Command) -> str:
    more = [found.code, found.detail] if found.code else []
    block = [f"block {found.block_number}"] if found.block_number is not None else []
    return "  ".join([f"{found.status:<10}", found.command_type, *block, *filter(None, more)])


def _fields(found: Command) -> list[tuple[str, str]]:
    return [
        ("command", found.command_id),
        ("type", found.command_type),
        ("arguments", encode(dict[str, JsonValue](found.arguments))),
        ("actor", found.actor),
        ("sent by", found.subject),
        ("status", found.status),
        ("accepted", time_text(found.accepted_at_ms)),
        ("settled", time_text(found.settled_at_ms)),
        ("block", "" if found.block_number is None else str(found.block_number)),
        ("transaction", found.transaction_id or ""),
        ("attempts", str(found.attempts)),
        ("code", found.code or ""),
        ("detail", found.detail or ""),
        ("result", "" if found.result is None else encode(found.result)),
    ]
