"""`gx system`, `gx pause`, `gx resume`: the whole system."""

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
from gx.cli.output import coins_text, seconds_text, show_fields, show_json
from gx.cli.sending import Sending
from gx.cli.session import Target, talk
from gx.client.client import GxClient
from gx.client.views import GlobalCounters, SystemStatus
from gx.domain.roles import TokenRole

app = typer.Typer(add_completion=False)


@app.command("system")
def show_system(url: UrlOption = None, as_json: JsonOption = False) -> None:
    """Show whether the system takes commands, and how much there is in it.

    Examples:
      gx system
      gx system --json
    """
    status, counters = talk(Target(url=url), None, _look)
    if as_json:
        show_json({"status": status.to_wire(), "counters": counters.to_wire()})
        return
    paused = f"since {seconds_text(status.paused_at)}: {status.pause_reason}"
    show_fields(
        [
            ("bootstrapped", seconds_text(status.bootstrapped_at) or "not yet"),
            ("paused", paused if status.is_paused else "no"),
            ("users", str(counters.users)),
            ("countries", str(counters.countries)),
            ("genesis paid to", f"{counters.genesis_distributed} users"),
            ("minted", coins_text(counters.minted)),
        ]
    )


async def _look(client: GxClient) -> tuple[SystemStatus, GlobalCounters]:
    return await client.system_status(), await client.global_counters()


@app.command("pause")
def pause(
    reason: Annotated[
        str,
        typer.Option(
            "--reason", help="Why, in 10 to 500 characters, for everybody who is refused."
        ),
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
      gx pause --reason "Planned upgrade of the ledger"
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
