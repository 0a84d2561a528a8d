"""`gx user`: people."""

from hashlib import sha256
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
from gx.cli.output import coins_text, say, seconds_text, show_fields, show_json
from gx.cli.sending import Sending
from gx.cli.session import Target, talk
from gx.client.views import User
from gx.domain.roles import TokenRole

app = typer.Typer(name="user", no_args_is_help=True, add_completion=False)

UserArgument = Annotated[str, typer.Argument(metavar="USER-ID", help="The user's id.")]


@app.callback()
def group() -> None:
    """Register, show, lock and unlock users.

    Examples:
      gx user create alice --nationality US --age 34
    """


@app.command("create")
def create(
    user_id: UserArgument,
    nationality: Annotated[str, typer.Option("--nationality", help="ISO code of the country.")],
    age: Annotated[int, typer.Option("--age", min=0, max=150, help="Years.")],
    biometric_hash: Annotated[
        str | None,
        typer.Option(
            "--biometric-hash",
            help="SHA-256 of the biometric template in hex; derived from the id if you name none.",
        ),
    ] = None,
    key: KeyOption = None,
    wait: WaitOption = True,
    timeout: TimeoutOption = 30.0,
    url: UrlOption = None,
    token: TokenOption = None,
    as_json: JsonOption = False,
) -> None:
    """Register a user, as a partner, and open a wallet at 0.

    Examples:
      gx user create alice --nationality US --age 34
      gx user create bob --nationality GB --age 51 --json
    """
    if biometric_hash is None:
        say("(no --biometric-hash: one is derived from the id, good for trying out alone)")
    hashed = biometric_hash or sha256(f"gx user create {user_id}".encode()).hexdigest()
    Sending(url=url, token=token, wait=wait, timeout_s=timeout, as_json=as_json).send(
        TokenRole.PARTNER,
        lambda client: client.create_user(
            user_id=user_id,
            biometric_hash=hashed,
            nationality=nationality,
            age=age,
            idempotency_key=key,
        ),
    )


@app.command("show")
def show_user(
    user_id: UserArgument,
    url: UrlOption = None,
    token: TokenOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show a user.

    Examples:
      gx user show alice
      gx user show alice --json
    """
    found = talk(
        Target(url=url, token=token),
        TokenRole.ADMIN,
        lambda client: client.user(user_id=user_id),
    )
    if as_json:
        show_json(found.to_wire())
    else:
        show_fields(_fields(found))


@app.command("lock")
def lock(
    user_id: UserArgument,
    reason: Annotated[str, typer.Option("--reason", help="Why; it stands on the ledger.")],
    key: KeyOption = None,
    wait: WaitOption = True,
    timeout: TimeoutOption = 30.0,
    url: UrlOption = None,
    token: TokenOption = None,
    as_json: JsonOption = False,
) -> None:
    """Stop a user from sending coins, as a super admin.

    Examples:
      gx user lock alice --reason "Court order 12"
    """
    Sending(url=url, token=token, wait=wait, timeout_s=timeout, as_json=as_json).send(
        TokenRole.SUPER_ADMIN,
        lambda client: client.lock_user(user_id=user_id, reason=reason, idempotency_key=key),
    )


@app.command("unlock")
def unlock(
    user_id: UserArgument,
    key: KeyOption = None,
    wait: WaitOption = True,
    timeout: TimeoutOption = 30.0,
    url: UrlOption = None,
    token: TokenOption = None,
    as_json: JsonOption = False,
) -> None:
    """Let a locked user send again, as a super admin.

    Examples:
      gx user unlock alice
    """
    Sending(url=url, token=token, wait=wait, timeout_s=timeout, as_json=as_json).send(
        TokenRole.SUPER_ADMIN,
        lambda client: client.unlock_user(user_id=user_id, idempotency_key=key),
    )


def _fields(found: User) -> list[tuple[str, str]]:
    genesis = f"{coins_text(found.genesis_amount)} in phase {found.genesis_phase}"
    return [
        ("user", found.user_id),
        ("nationality", found.nationality),
        ("age", str(found.age)),
        ("status", found.status),
        ("locked because", found.lock_reason or ""),
        ("trust score", str(found.trust_score)),
        ("registered", seconds_text(found.created_at)),
        ("genesis", "not yet" if found.genesis_at is None else genesis),
    ]
