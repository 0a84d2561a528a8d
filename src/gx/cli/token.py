"""`gx token`: bearer tokens for development."""

from typing import Annotated

import typer

from gx.api.issuer import TTL_MAX_S
from gx.cli.failures import UsageFailedError
from gx.cli.options import JsonOption, read_duration_s
from gx.cli.output import show, show_json
from gx.cli.session import issue_token
from gx.domain.codec import JsonValue
from gx.domain.roles import TokenRole

app = typer.Typer(add_completion=False)


@app.command("token")
def issue(
    role: Annotated[TokenRole, typer.Option("--role", help="What the token may do.")],
    subject: Annotated[str, typer.Option("--subject", help="Who the token stands for.")],
    act_for: Annotated[
        list[str] | None,
        typer.Option("--act-for", help="A user whom it may act for, or '*'; may be repeated."),
    ] = None,
    ttl: Annotated[str, typer.Option("--ttl", help="How long it is valid: 15m, 8h, 7d.")] = "8h",
    as_json: JsonOption = False,
) -> None:
    """Issue a bearer token of the local issuer.

    It is signed with the key in the stack's folder and works in devnet alone.
    Whoever can read that folder can be anybody.

    Examples:
      gx token --role super_admin --subject root
      gx token --role user --subject alice --ttl 15m
      gx token --role partner --subject shop --act-for '*' --json
      export GX_TOKEN=$(gx token --role admin --subject ops)
    """
    ttl_s, users = read_duration_s(ttl), act_for or []
    if not 0 < ttl_s <= TTL_MAX_S:
        raise UsageFailedError(f"--ttl {ttl}: a token lives 1s to {TTL_MAX_S // 86_400}d")
    token = issue_token(role, subject=subject, act_for=users, ttl_s=ttl_s)
    if as_json:
        show_json(
            {
                "token": token,
                "role": role.value,
                "subject": subject,
                "actFor": list[JsonValue](users),
                "expiresInS": ttl_s,
            }
        )
    else:
        show(token)
