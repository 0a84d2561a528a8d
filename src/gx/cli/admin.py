"""`gx admin`: administrators."""

from typing import Annotated

import typer

from gx.cli.options import (
    JsonOption,
    KeyOption,
    TimeoutOption,
    TokenOption,
    UrlOption,
    WaitOption,
)
from gx.cli.sending import Sending
from gx.domain.roles import TokenRole

app = typer.Typer(name="admin", no_args_is_help=True, add_completion=False)


@app.callback()
def group() -> None:
    """Appoint administrators.

    Examples:
      gx admin appoint ops-grace
    """


@app.command("appoint")
def appoint(
    admin_id: Annotated[str, typer.Argument(metavar="ADMIN-ID", help="Who is appointed.")],
    key: KeyOption = None,
    wait: WaitOption = True,
    timeout: TimeoutOption = 30.0,
    url: UrlOption = None,
    token: TokenOption = None,
    as_json: JsonOption = False,
) -> None:
    """Record somebody as an administrator, as a super admin.

    Examples:
      gx admin appoint ops-grace
    """
    Sending(url=url, token=token, wait=wait, timeout_s=timeout, as_json=as_json).send(
        TokenRole.SUPER_ADMIN,
        lambda client: client.appoint_admin(admin_id=admin_id, idempotency_key=key),
    )
