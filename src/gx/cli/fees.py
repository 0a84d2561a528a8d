"""`gx fees`: the income of the operations fund."""

import typer

from gx.cli.options import (
    JsonOption,
    KeyOption,
    TimeoutOption,
    TokenOption,
    UrlOption,
    WaitOption,
)
from gx.cli.sending import Sending
from gx.domain.roles import TokenRole

app = typer.Typer(name="fees", no_args_is_help=True, add_completion=False)


@app.callback()
def group() -> None:
    """Collect the fee income.

    Examples:
      gx fees collect
    """


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
