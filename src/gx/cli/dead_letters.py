"""`gx dead-letters`: commands that were given up."""

from typing import Annotated

import typer

from gx.cli.command import CommandArgument
from gx.cli.options import CursorOption, JsonOption, LimitOption, TokenOption, UrlOption
from gx.cli.output import say, show, show_fields, show_json, show_table, time_text
from gx.cli.session import Target, talk
from gx.domain.codec import JsonValue, encode
from gx.domain.identifiers import CommandId
from gx.domain.roles import TokenRole

app = typer.Typer(name="dead-letters", no_args_is_help=True, add_completion=False)

ReasonOption = Annotated[
    str, typer.Option("--reason", help="Why, in 10 to 500 characters; it is kept in the audit.")
]


@app.callback()
def group() -> None:
    """Handle given-up commands.

    Examples:
      gx dead-letters list
    """


@app.command("list")
def list_letters(
    limit: LimitOption = 20,
    cursor: CursorOption = None,
    url: UrlOption = None,
    token: TokenOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the dead letters that nobody has handled, newest first.

    Examples:
      gx dead-letters list
      gx dead-letters list --json
    """
    page = talk(
        Target(url=url, token=token),
        TokenRole.ADMIN,
        lambda client: client.dead_letters(limit=limit, cursor=cursor),
    )
    if as_json:
        items: list[JsonValue] = [letter.to_wire() for letter in page.items]
        show_json({"items": items, "nextCursor": page.next_cursor})
        return
    show_table(
        ("command id", "type", "actor", "given up", "reason"),
        (
            (
                letter.command_id,
                letter.command_type,
                letter.actor,
                time_text(letter.buried_at_ms),
                letter.reason,
            )
            for letter in page.items
        ),
    )
    if page.next_cursor:
        say(f"More: --cursor {page.next_cursor}")


@app.command("show")
def show_one(
    command_id: CommandArgument,
    url: UrlOption = None,
    token: TokenOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show one dead letter with everything that was tried.

    Examples:
      gx dead-letters show 01890a5d-ac96-774b-bcce-b302099a8057
    """
    letter = talk(
        Target(url=url, token=token),
        TokenRole.ADMIN,
        lambda client: client.find_dead_letter(CommandId(command_id)),
    )
    if as_json:
        show_json(letter.to_wire())
        return
    show_fields(
        [
            ("command", letter.command_id),
            ("type", letter.command_type),
            ("arguments", encode(dict[str, JsonValue](letter.arguments))),
            ("actor", letter.actor),
            ("state", letter.state),
            ("given up", time_text(letter.buried_at_ms)),
            ("reason", letter.reason),
        ]
    )
    for number, attempt in enumerate(letter.history, 1):
        show(f"attempt {number}: {encode(attempt)}")


@app.command("replay")
def replay(
    command_id: CommandArgument,
    reason: ReasonOption,
    url: UrlOption = None,
    token: TokenOption = None,
) -> None:
    """Put a given-up command back into the queue, under its id.

    Examples:
      gx dead-letters replay "$ID" --reason "Ledger repaired"
    """
    talk(
        Target(url=url, token=token),
        TokenRole.ADMIN,
        lambda client: client.replay_dead_letter(CommandId(command_id), reason=reason),
    )
    show(f"replayed {command_id}; watch it: gx command watch {command_id}")


@app.command("discard")
def discard(
    command_id: CommandArgument,
    reason: ReasonOption,
    url: UrlOption = None,
    token: TokenOption = None,
) -> None:
    """Give a command up for good: its final status is DISCARDED.

    Examples:
      gx dead-letters discard "$ID" --reason "Sent by mistake"
    """
    talk(
        Target(url=url, token=token),
        TokenRole.ADMIN,
        lambda client: client.discard_dead_letter(CommandId(command_id), reason=reason),
    )
    show(f"discarded {command_id}")
