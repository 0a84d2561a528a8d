"""`gx relationship`: what people are to each other, and the trust that it earns."""

from typing import Annotated

import typer

from gx.cli.failures import UsageFailedError
from gx.cli.options import (
    CursorOption,
    JsonOption,
    KeyOption,
    LimitOption,
    TimeoutOption,
    TokenOption,
    UrlOption,
    WaitOption,
)
from gx.cli.output import say, seconds_text, show_fields, show_json, show_table
from gx.cli.sending import Sending
from gx.cli.session import Target, talk
from gx.domain.codec import JsonValue
from gx.domain.relationships import RelationshipType, parse_relationship_id
from gx.domain.roles import TokenRole

app = typer.Typer(name="relationship", no_args_is_help=True, add_completion=False)

UserArgument = Annotated[str, typer.Argument(metavar="USER-ID", help="The user's id.")]


@app.callback()
def group() -> None:
    """Request, confirm and list relationships.

    Confirmed ones earn both people trust.

    Examples:
      gx relationship request alice bob PARENT
    """


@app.command("request")
def request(
    subject_id: Annotated[str, typer.Argument(metavar="SUBJECT", help="Who says so.")],
    object_id: Annotated[str, typer.Argument(metavar="OBJECT", help="About whom.")],
    kind: Annotated[
        RelationshipType, typer.Argument(metavar="TYPE", help="What OBJECT is to SUBJECT.")
    ],
    key: KeyOption = None,
    wait: WaitOption = True,
    timeout: TimeoutOption = 30.0,
    url: UrlOption = None,
    token: TokenOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say what somebody is to a user: PARENT, CHILD, SPOUSE, SIBLING or FRIEND.

    It earns no trust before the other person confirms it.

    Examples:
      gx relationship request alice bob PARENT
      gx relationship request alice carol FRIEND --json
    """
    Sending(url=url, token=token, wait=wait, timeout_s=timeout, as_json=as_json).send(
        TokenRole.PARTNER,
        lambda client: client.request_relationship(
            subject_id=subject_id, object_id=object_id, type=kind.value, idempotency_key=key
        ),
        acts_for=subject_id,
    )


@app.command("confirm")
def confirm(
    relationship_id: Annotated[
        str, typer.Argument(metavar="ID", help="SUBJECT~TYPE~OBJECT, as it is listed.")
    ],
    key: KeyOption = None,
    wait: WaitOption = True,
    timeout: TimeoutOption = 30.0,
    url: UrlOption = None,
    token: TokenOption = None,
    as_json: JsonOption = False,
) -> None:
    """Confirm what somebody said, acting for the person about whom it was said.

    Examples:
      gx relationship confirm alice~PARENT~bob
    """
    try:
        confirmer = parse_relationship_id(relationship_id).object_id
    except ValueError as error:
        raise UsageFailedError(
            f"{relationship_id!r} is no relationship: give its id, such as alice~PARENT~bob"
        ) from error
    Sending(url=url, token=token, wait=wait, timeout_s=timeout, as_json=as_json).send(
        TokenRole.PARTNER,
        lambda client: client.confirm_relationship(
            relationship_id=relationship_id, idempotency_key=key
        ),
        acts_for=confirmer,
    )


@app.command("list")
def list_of_user(
    user_id: UserArgument,
    limit: LimitOption = 20,
    cursor: CursorOption = None,
    url: UrlOption = None,
    token: TokenOption = None,
    as_json: JsonOption = False,
) -> None:
    """List a user's relationships, as either side.

    Examples:
      gx relationship list alice
      gx relationship list alice --limit 5 --json
    """
    page = talk(
        Target(url=url, token=token),
        TokenRole.ADMIN,
        lambda client: client.relationships(subject_id=user_id, limit=limit, cursor=cursor),
    )
    if as_json:
        items: list[JsonValue] = [item.to_wire() for item in page.items]
        show_json({"items": items, "nextCursor": page.next_cursor})
        return
    show_table(
        ("relationship", "status", "requested", "confirmed"),
        (
            (
                item.relationship_id,
                item.status,
                seconds_text(item.requested_at),
                seconds_text(item.confirmed_at),
            )
            for item in page.items
        ),
    )
    if page.next_cursor:
        say(f"More: --cursor {page.next_cursor}")


@app.command("trust")
def trust(
    user_id: UserArgument,
    url: UrlOption = None,
    token: TokenOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show a user's trust score, 10 to 100.

    Examples:
      gx relationship trust alice
    """
    found = talk(
        Target(url=url, token=token),
        TokenRole.ADMIN,
        lambda client: client.trust(user_id=user_id),
    )
    if as_json:
        show_json(found.to_wire())
    else:
        show_fields([("user", found.user_id), ("trust score", str(found.trust_score))])
