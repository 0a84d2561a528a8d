"""`gx load`: many commands."""

from collections.abc import Callable
from typing import Annotated

import typer
import uvloop

from gx.cli.failures import CheckFailedError, UsageFailedError
from gx.cli.options import JsonOption, TokenOption, UrlOption, read_duration_s
from gx.cli.output import coins_text, progress, show, show_fields, show_json, show_table
from gx.cli.session import resolve_credentials, resolve_url
from gx.cli.smoke import PartnerTokenOption
from gx.client.client import open_client
from gx.client.transport import ClientSettings
from gx.operations.bootstrap import bootstrap
from gx.operations.credentials import Credentials
from gx.operations.load.client_books import ClientBooks
from gx.operations.load.latency import LatencySummary
from gx.operations.load.mix import DEFAULT_MIX, MixError, parse_mix
from gx.operations.load.plan import LoadPlan, LoadRefusedError
from gx.operations.load.report import LoadReport
from gx.operations.load.run import LoadProgress, LoadRun

app = typer.Typer(add_completion=False)


@app.command("load")
def load(
    rate: Annotated[float, typer.Option("--rate", help="Commands a second, up to 20000.")] = 100.0,
    duration: Annotated[
        str, typer.Option("--duration", help="How long: seconds, or 90s, 15m, 2h.")
    ] = "30s",
    mix: Annotated[
        str,
        typer.Option("--mix", help="Weights of transfer, mint, create_user, genesis and overdraw."),
    ] = DEFAULT_MIX,
    connections: Annotated[
        int, typer.Option("--connections", min=1, max=512, help="Connections that send.")
    ] = 32,
    drain: Annotated[
        float, typer.Option("--drain", min=1, help="Seconds to wait for the last command's end.")
    ] = 120.0,
    url: UrlOption = None,
    token: TokenOption = None,
    partner_token: PartnerTokenOption = None,
    as_json: JsonOption = False,
) -> None:
    """Send many commands on a fixed schedule, and check what they did.

    An open loop: requests leave when they are due, whether or not the system
    keeps up, and latency counts from then. Afterwards every accepted command
    must be PROJECTED (an overdraw must be refused), supply and balances must
    agree, and each wallet that took part must hold what it should.
    Exits with 1 if anything is wrong.

    Examples:
      gx load --rate 500 --duration 60
      gx load --rate 50 --duration 5m --mix transfer=90,mint=5,overdraw=5
      gx load --rate 200 --duration 30s --json
    """
    plan = _read_plan(rate, duration, mix, connections, drain)
    credentials = resolve_credentials(token, partner_token)
    base_url = resolve_url(url)
    with progress("starting ...") as line:
        report = uvloop.run(
            _run(plan, base_url, credentials, lambda moment: line.tell(_moment_text(moment)))
        )
    if as_json:
        show_json(report.to_wire())
    else:
        _show(report)
    if not report.is_good:
        raise CheckFailedError("; ".join(report.problems))


def _read_plan(rate: float, duration: str, mix: str, connections: int, drain: float) -> LoadPlan:
    try:
        return LoadPlan(
            rate_per_s=rate,
            duration_s=read_duration_s(duration),
            mix=parse_mix(mix),
            connections=connections,
            drain_s=drain,
        )
    except (MixError, LoadRefusedError) as error:
        raise UsageFailedError(str(error)) from error


async def _run(
    plan: LoadPlan,
    base_url: str,
    credentials: Credentials,
    observe: Callable[[LoadProgress], None],
) -> LoadReport:
    admin_settings = ClientSettings(base_url=base_url, token=credentials.super_admin)
    partner_settings = ClientSettings(base_url=base_url, token=credentials.partner)
    async with open_client(admin_settings) as admin, open_client(partner_settings) as partner:
        await bootstrap(admin)
        run = LoadRun(
            plan,
            base_url=base_url,
            credentials=credentials,
            books=ClientBooks(partner),
            observe=observe,
        )
        return await run.execute()


def _moment_text(moment: LoadProgress) -> str:
    text = f"{moment.phase} {moment.done}/{moment.total}, {moment.open} not final"
    if moment.waiting:
        text += f", {moment.waiting} without an answer"
    return f"{text}, {moment.refused} refused" if moment.refused else text


def _show(report: LoadReport) -> None:
    show_table(
        ("latency from due time", "n>", "p50>", "p95>", "p99>", "max>"),
        (
            _latency_row("accepted", report.accept),
            _latency_row("committed", report.commit),
            _latency_row("projected", report.project),
        ),
    )
    supply = report.books.supply
    show_fields(
        [
            ("sent", f"{report.sent} of {report.planned}, {report.sent_per_s:.1f} a second"),
            ("accepted", str(report.accepted)),
            ("projected", str(report.projected)),
            ("refused rightly", str(report.refused_as_expected or "")),
            ("sent again", str(report.resent or "")),
            ("put off", str(report.put_off or "")),
            ("minted", coins_text(supply.minted)),
            ("in accounts", coins_text(supply.balances)),
            ("wallets", f"{report.books.checked} checked, {report.books.wrong} wrong"),
        ]
    )
    if report.is_good:
        show("every command ended as it must, and the books balance")


def _latency_row(name: str, summary: LatencySummary) -> tuple[str, ...]:
    numbers = (summary.p50_us, summary.p95_us, summary.p99_us, summary.max_us)
    return (name, str(summary.count), *(f"{number / 1_000:.1f} ms" for number in numbers))
