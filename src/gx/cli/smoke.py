"""`gx smoke`: the whole loop, once."""

import asyncio
from collections.abc import Callable
from typing import Annotated

import typer

from gx.cli.failures import CheckFailedError
from gx.cli.options import JsonOption, TimeoutOption, TokenOption, UrlOption
from gx.cli.output import progress, show_json, show_table
from gx.cli.session import resolve_credentials, resolve_url
from gx.client.client import open_client
from gx.client.transport import ClientSettings
from gx.operations.credentials import Credentials
from gx.operations.smoke import Smoke, SmokeReport, SmokeStep
from gx.runtime.inspection import open_events

app = typer.Typer(add_completion=False)

PartnerTokenOption = Annotated[
    str | None,
    typer.Option(
        "--partner-token",
        help="A partner's token that may act for everybody; else GX_PARTNER_TOKEN, else made.",
    ),
]


@app.command("smoke")
def smoke(
    timeout: TimeoutOption = 30.0,
    url: UrlOption = None,
    token: TokenOption = None,
    partner_token: PartnerTokenOption = None,
    as_json: JsonOption = False,
) -> None:
    """Check the whole loop once, step by step, with the time to each status.

    Bootstraps if needed; opens US, CA, GB; registers two users; pays genesis;
    transfers; and checks every row and balance and, where the local ledger can
    be read, every event. Needs a super admin's and a partner's token.
    Exits with 1 if anything is wrong.

    Examples:
      gx smoke
      gx smoke --json
      gx smoke --url https://api.example --token "$ROOT" --partner-token "$SHOP"
    """
    credentials = resolve_credentials(token, partner_token)
    base_url = resolve_url(url)
    with progress("bootstrap ...") as line:
        report = asyncio.run(
            _walk(base_url, credentials, timeout, lambda step: line.tell(f"{step.name} done ..."))
        )
    if as_json:
        show_json(report.to_wire())
    else:
        _show(report)
    if not report.is_good:
        bad = report.steps[-1]
        raise CheckFailedError(f"{bad.name} failed: {bad.detail}")


async def _walk(
    base_url: str, credentials: Credentials, timeout_s: float, observe: Callable[[SmokeStep], None]
) -> SmokeReport:
    admin_settings = ClientSettings(base_url=base_url, token=credentials.super_admin)
    partner_settings = ClientSettings(base_url=base_url, token=credentials.partner)
    async with (
        open_client(admin_settings) as admin,
        open_client(partner_settings) as partner,
        open_events() as events,
    ):
        smoke = Smoke(
            admin=admin, partner=partner, events=events, observe=observe, timeout_s=timeout_s
        )
        return await smoke.walk()


def _show(report: SmokeReport) -> None:
    show_table(
        ("step", "", "accepted>", "committed>", "projected>", "detail"),
        (
            (
                step.name,
                "ok" if step.is_good else "FAILED",
                _ms(step.accepted_ms),
                _ms(step.committed_ms),
                _ms(step.projected_ms),
                step.detail,
            )
            for step in report.steps
        ),
    )


def _ms(duration_ms: int | None) -> str:
    return "" if duration_ms is None else f"{duration_ms} ms"
