"""`gx pause`, `gx resume`: the whole system."""

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

app = typer.Typer()


@app.command("pause")
def pause(
    reason: Annotated[
        str, typer.Argument(help="Why, in 10 to 500 characters, for everybody who is refused.")
    ],
    key: KeyOption = None,
    wait: WaitOption = True,
    timeout: TimeoutOption = 30.0,
    url: UrlOption = None,
    token: TokenOption = None,
    as_json: JsonOption = False,
) -> None:
    """Refuse every write until the system is resumed, as a super admin.

    Examples:
      gx pause "Planned upgrade of the ledger"
    """
    Sending(url=url, token=token, wait=wait, timeout_s=timeout, as_json=as_json).send(
        TokenRole.SUPER_ADMIN,
        lambda client: client.pause_system(reason=reason, idempotency_key=key),
    )


@app.command("resume")
def resume(
    key: KeyOption = None,
    wait: WaitOption = True,
    timeout: TimeoutOption = 30.0,
    url: UrlOption = None,
    token: TokenOption = None,
    as_json: JsonOption = False,
) -> None:
    """Take writes again after a pause, as a super admin.

    Examples:
      gx resume
    """
    Sending(url=url, token=token, wait=wait, timeout_s=timeout, as_json=as_json).send(
        TokenRole.SUPER_ADMIN, lambda client: client.resume_system(idempotency_key=key)
    )
