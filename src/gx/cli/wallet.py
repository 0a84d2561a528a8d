"""`gx wallet`: freezing and unfreezing."""

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
from gx.cli.user import UserArgument
from gx.domain.roles import TokenRole

app = typer.Typer(name="wallet", no_args_is_help=True, add_completion=False)


@app.callback()
def group() -> None:
    """Freeze and unfreeze wallets.

    Examples:
      gx wallet freeze alice --reason "Reported stolen"
    """


@app.command("freeze")
def freeze(
    user_id: UserArgument,
    reason: Annotated[str, typer.Option("--reason", help="Why; it stands on the ledger.")],
    key: KeyOption = None,
    wait: WaitOption = True,
    timeout: TimeoutOption = 30.0,
    url: UrlOption = None,
    token: TokenOption = None,
    as_json: JsonOption = False,
) -> None:
    """Stop a wallet from sending and receiving, as a super admin.

    Examples:
      gx wallet freeze alice --reason "Reported stolen"
    """
    Sending(url=url, token=token, wait=wait, timeout_s=timeout, as_json=as_json).send(
        TokenRole.SUPER_ADMIN,
        lambda client: client.freeze_wallet(user_id=user_id, reason=reason, idempotency_key=key),
    )


@app.command("unfreeze")
def unfreeze(
    user_id: UserArgument,
    key: KeyOption = None,
    wait: WaitOption = True,
    timeout: TimeoutOption = 30.0,
    url: UrlOption = None,
    token: TokenOption = None,
    as_json: JsonOption = False,
) -> None:
    """Let a frozen wallet work again, as a super admin.

    Examples:
      gx wallet unfreeze alice
    """
    Sending(url=url, token=token, wait=wait, timeout_s=timeout, as_json=as_json).send(
        TokenRole.SUPER_ADMIN,
        lambda client: client.unfreeze_wallet(user_id=user_id, idempotency_key=key),
    )
