"""`gx param`: system parameters."""

import asyncio
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
from gx.cli.output import show_json, show_table
from gx.cli.sending import Sending
from gx.cli.session import Target, talk
from gx.client.client import GxClient
from gx.client.views import SystemParameter
from gx.domain.codec import JsonValue
from gx.domain.economics import PARAMETERS
from gx.domain.roles import TokenRole

app = typer.Typer(name="param", no_args_is_help=True, add_completion=False)


@app.callback()
def group() -> None:
    """Show and set system parameters.

    Examples:
      gx param show
    """


@app.command("show")
def show_parameters(
    name: Annotated[
        str | None, typer.Argument(metavar="ID", help="Which; all of them if you name none.")
    ] = None,
    url: UrlOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show system parameters as they are on the ledger.

    Examples:
      gx param show
      gx param show feeLowerBps --json
    """
    names = [name] if name else list(PARAMETERS)

    async def read(client: GxClient) -> list[SystemParameter]:
        return await asyncio.gather(*(client.system_parameter(id=each) for each in names))

    found = talk(Target(url=url), None, read)
    if as_json:
        wires: list[JsonValue] = [parameter.to_wire() for parameter in found]
        show_json(wires[0] if name else {"items": wires})
        return
    show_table(
        ("parameter", "value>", "unit", "meaning"),
        (
            (
                parameter.id,
                parameter.value,
                parameter.unit or "",
                PARAMETERS[parameter.id].description if parameter.id in PARAMETERS else "",
            )
            for parameter in found
        ),
    )


@app.command("set")
def set_parameter(
    name: Annotated[str, typer.Argument(metavar="ID", help="Which parameter.")],
    value: Annotated[str, typer.Argument(help="Its new value, a whole number.")],
    key: KeyOption = None,
    wait: WaitOption = True,
    timeout: TimeoutOption = 30.0,
    url: UrlOption = None,
    token: TokenOption = None,
    as_json: JsonOption = False,
) -> None:
    """Change one system parameter within its bounds, as a super admin.

    Examples:
      gx param set feeLowerBps 6
    """
    Sending(url=url, token=token, wait=wait, timeout_s=timeout, as_json=as_json).send(
        TokenRole.SUPER_ADMIN,
        lambda client: client.update_system_parameter(id=name, value=value, idempotency_key=key),
    )
