"""`gx tax`: the velocity tax on balances that lie still."""

import typer

from gx.cli.money import AccountArgument
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
from gx.client.views import VelocityTaxStanding
from gx.domain.roles import TokenRole

app = typer.Typer(name="tax", no_args_is_help=True, add_completion=False)


@app.callback()
def group() -> None:
    """Foretell and apply the velocity tax.

    Examples:
      gx tax eligibility alice
      gx tax apply alice
    """


@app.command("eligibility")
def eligibility(
    account_id: AccountArgument,
    url: UrlOption = None,
    token: TokenOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show whether an account's velocity tax is due, and how much it would be.

    Examples:
      gx tax eligibility alice
      gx tax eligibility alice --json
    """
    found = talk(
        Target(url=url, token=token),
        TokenRole.ADMIN,
        lambda client: client.velocity_tax(account_id=account_id),
    )
    if as_json:
        show_json(found.to_wire())
        return
    show_fields(
        [
            ("account", found.account_id),
            ("balance", coins_text(found.balance)),
            ("due", _due_text(found)),
            ("timer started", seconds_text(found.timer_start) if found.timer_start else ""),
            ("tax", f"{coins_text(found.tax_amount)} ({found.tax_rate_bps} basis points)"),
            ("to the treasury", coins_text(found.treasury_share)),
            ("to charity", coins_text(found.charity_share)),
        ]
    )


@app.command("apply")
def apply(
    account_id: AccountArgument,
    key: KeyOption = None,
    wait: WaitOption = True,
    timeout: TimeoutOption = 30.0,
    url: UrlOption = None,
    token: TokenOption = None,
    as_json: JsonOption = False,
) -> None:
    """Tax a balance that was held for too long, as an admin.

    70 % of the tax go to the treasury of the holder's country, the rest to
    the charitable pool; the timer starts anew. Refused with TAX_NOT_DUE
    before the time has come.

    Examples:
      gx tax apply alice
      gx tax apply alice --idempotency-key year-1-alice
    """
    Sending(url=url, token=token, wait=wait, timeout_s=timeout, as_json=as_json).send(
        TokenRole.ADMIN,
        lambda client: client.apply_velocity_tax(account_id=account_id, idempotency_key=key),
    )


def _due_text(found: VelocityTaxStanding) -> str:
    if found.is_exempt:
        return "never: the account is exempt"
    if found.is_eligible:
        return "now"
    if found.due_at is None or found.balance < found.threshold:
        return f"no: a balance of {coins_text(found.threshold)} starts the timer"
    return f"from {seconds_text(found.due_at)} on"
