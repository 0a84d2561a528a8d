"""`gx country`: countries."""

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
from gx.cli.output import coins_text, say, show_fields, show_json, show_table
from gx.cli.sending import Sending
from gx.cli.session import Target, talk
from gx.cli.treasury import CountryArgument
from gx.client.commands import CountryShare
from gx.domain.codec import JsonValue
from gx.domain.roles import TokenRole

app = typer.Typer(name="country", no_args_is_help=True, add_completion=False)


@app.callback()
def group() -> None:
    """List, show and open countries.

    Examples:
      gx country list
    """


@app.command("list")
def list_countries(
    limit: LimitOption = 200,
    cursor: CursorOption = None,
    url: UrlOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the open countries.

    Examples:
      gx country list
      gx country list --json
    """
    page = talk(Target(url=url), None, lambda client: client.countries(limit=limit, cursor=cursor))
    if as_json:
        items: list[JsonValue] = [country.to_wire() for country in page.items]
        show_json({"items": items, "nextCursor": page.next_cursor})
        return
    show_table(
        ("country", "share %>", "users>", "genesis users>", "treasury"),
        (
            (
                country.country_code,
                country.percentage,
                str(country.users),
                str(country.genesis_users),
                country.treasury_id,
            )
            for country in page.items
        ),
    )
    if page.next_cursor:
        say(f"More: --cursor {page.next_cursor}")


@app.command("show")
def show_country(
    country_code: CountryArgument, url: UrlOption = None, as_json: JsonOption = False
) -> None:
    """Show one country's share, users and genesis coins.

    Examples:
      gx country show US
    """
    found = talk(
        Target(url=url), None, lambda client: client.country_stats(country_code=country_code)
    )
    if as_json:
        show_json(found.to_wire())
        return
    show_fields(
        [
            ("country", found.country_code),
            ("share", f"{found.percentage} %"),
            ("users", str(found.users)),
            ("genesis users", str(found.genesis_users)),
            ("paid to users", coins_text(found.genesis_user_amount)),
            ("paid to treasury", coins_text(found.genesis_treasury_amount)),
            ("treasury", found.treasury_id),
        ]
    )


@app.command("open")
def open_countries(
    shares: Annotated[
        list[str], typer.Argument(metavar="CC=PERCENT...", help="Countries with their shares.")
    ],
    key: KeyOption = None,
    wait: WaitOption = True,
    timeout: TimeoutOption = 30.0,
    url: UrlOption = None,
    token: TokenOption = None,
    as_json: JsonOption = False,
) -> None:
    """Open countries, each with a locked treasury, as a super admin.

    Examples:
      gx country open CH=0.1 AT=0.1
    """
    countries = [_read_share(text) for text in shares]
    Sending(url=url, token=token, wait=wait, timeout_s=timeout, as_json=as_json).send(
        TokenRole.SUPER_ADMIN,
        lambda client: client.initialize_country_data(countries=countries, idempotency_key=key),
    )


def _read_share(text: str) -> CountryShare:
    code, separator, percentage = text.partition("=")
    if not (code and separator and percentage):
        raise UsageFailedError(f"{text!r} names no country with its share: give CH=0.1")
    return CountryShare(country_code=code, percentage=percentage)
