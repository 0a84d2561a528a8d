"""`gx treasury`: the countries' accounts."""

from typing import Annotated

import typer

from gx.cli.money import show_account
from gx.cli.options import (
    JsonOption,
    KeyOption,
    TimeoutOption,
    TokenOption,
    UrlOption,
    WaitOption,
)
from gx.cli.output import show_json
from gx.cli.sending import Sending
from gx.cli.session import Target, talk
from gx.domain.roles import TokenRole

app = typer.Typer(name="treasury", no_args_is_help=True, add_completion=False)

CountryArgument = Annotated[str, typer.Argument(metavar="CC", help="ISO code of the country.")]


@app.callback()
def group() -> None:
    """Show and activate treasuries.

    Examples:
      gx treasury show US
    """


@app.command("show")
def show_treasury(
    country_code: CountryArgument, url: UrlOption = None, as_json: JsonOption = False
) -> None:
    """Show a country's treasury.

    Examples:
      gx treasury show US
      gx treasury show GB --json
    """
    account = talk(
        Target(url=url), None, lambda client: client.treasury_balance(country_code=country_code)
    )
    if as_json:
        show_json(account.to_wire())
    else:
        show_account(account)


@app.command("activate")
def activate(
    country_code: CountryArgument,
    key: KeyOption = None,
    wait: WaitOption = True,
    timeout: TimeoutOption = 30.0,
    url: UrlOption = None,
    token: TokenOption = None,
    as_json: JsonOption = False,
) -> None:
    """Let a country's treasury send, as an admin.

    Examples:
      gx treasury activate US
    """
    Sending(url=url, token=token, wait=wait, timeout_s=timeout, as_json=as_json).send(
        TokenRole.ADMIN,
        lambda client: client.activate_treasury(country_code=country_code, idempotency_key=key),
    )
