"""`gx fees`: what transfers cost, and the income of the operations fund."""

from typing import Annotated

import typer

from gx.cli.money import AmountArgument
from gx.cli.options import (
    JsonOption,
    KeyOption,
    TimeoutOption,
    TokenOption,
    UrlOption,
    WaitOption,
    read_amount,
)
from gx.cli.output import coins_text, show_fields, show_json
from gx.cli.sending import Sending
from gx.cli.session import Target, talk
from gx.domain.roles import TokenRole

app = typer.Typer(name="fees", no_args_is_help=True, add_completion=False)


@app.callback()
def group() -> None:
    """Foretell and collect fees.

    Examples:
      gx fees calculate alice bob 5coin
      gx fees collect
    """


@app.command("calculate")
def calculate(
    from_id: Annotated[str, typer.Argument(metavar="FROM", help="Who would pay.")],
    to_id: Annotated[str, typer.Argument(metavar="TO", help="Who would receive.")],
    amount: AmountArgument,
    url: UrlOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show what a transfer would cost its sender; nothing is paid.

    Examples:
      gx fees calculate alice bob 5coin
      gx fees calculate alice bob 250coin --json
    """
    base_units = read_amount(amount)
    found = talk(
        Target(url=url),
        None,
        lambda client: client.transaction_fee(from_id=from_id, to_id=to_id, amount=base_units),
    )
    if as_json:
        show_json(found.to_wire())
        return
    show_fields(
        [
            ("amount", coins_text(found.amount)),
            ("fee", coins_text(found.fee)),
            ("rate", f"{found.fee_rate_bps} basis points"),
            ("cross-border", "yes" if found.is_cross_border else "no"),
            ("sender pays", coins_text(found.total)),
        ]
    )


@app.command("collect")
def collect(
    key: KeyOption = None,
    wait: WaitOption = True,
    timeout: TimeoutOption = 30.0,
    url: UrlOption = None,
    token: TokenOption = None,
    as_json: JsonOption = False,
) -> None:
    """Move fee income into the operations fund's record, as an admin.

    Each ledger transaction keeps its fees under a key of its own. This gathers
    up to 5000 of them; if the answer says that there is more, send it again.
    The fund's balance stays the same, and summing it gets quicker.

    Examples:
      gx fees collect
    """
    Sending(url=url, token=token, wait=wait, timeout_s=timeout, as_json=as_json).send(
        TokenRole.ADMIN, lambda client: client.collect_fees(idempotency_key=key)
    )
