"""`gx bootstrap`: a new system."""

from typing import Annotated

import typer

from gx.cli.options import JsonOption, TimeoutOption, TokenOption, UrlOption
from gx.cli.output import progress, show, show_json
from gx.cli.session import Target, talk
from gx.client.client import GxClient
from gx.domain.roles import TokenRole
from gx.operations.bootstrap import BootstrapReport, bootstrap
from gx.operations.countries import DEFAULT_COUNTRIES

app = typer.Typer(add_completion=False)


@app.command("bootstrap")
def run(
    with_countries: Annotated[
        bool,
        typer.Option("--countries/--no-countries", help="Open thirty countries, US CA GB too."),
    ] = True,
    timeout: TimeoutOption = 60.0,
    url: UrlOption = None,
    token: TokenOption = None,
    as_json: JsonOption = False,
) -> None:
    """Create the pools and open the countries, as a super admin.

    What is done already is left alone, so it may be run again and again.

    Examples:
      gx bootstrap
      gx bootstrap --no-countries --json
    """
    countries = DEFAULT_COUNTRIES if with_countries else ()
    with progress("looking ...") as line:

        async def work(client: GxClient) -> BootstrapReport:
            return await bootstrap(
                client, countries=countries, observe=line.tell, timeout_s=timeout
            )

        report = talk(Target(url=url, token=token), TokenRole.SUPER_ADMIN, work)
    if as_json:
        show_json(report.to_wire())
        return
    show("pools and parameters: " + ("created" if report.did_bootstrap else "were there"))
    show("countries: " + (f"opened {', '.join(report.opened)}" if report.opened else "were open"))
