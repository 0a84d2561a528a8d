"""`gx mint`, `genesis`, `transfer`, `balance`, `entries`, `supply`, `pools`: coins."""

from typing import Annotated

import typer

from gx.cli.options import (
    CursorOption,
    JsonOption,
    KeyOption,
    LimitOption,
    TimeoutOption,
    TokenOption,
    UrlOption,
    WaitOption,
    read_amount,
)
from gx.cli.output import (
    coins_text,
    say,
    seconds_text,
    show,
    show_fields,
    show_json,
    show_table,
)
from gx.cli.sending import Sending
from gx.cli.session import Target, talk
from gx.client.views import Account
from gx.domain.amounts import SUPPLY_CAP
from gx.domain.codec import JsonValue
from gx.domain.identifiers import is_reserved
from gx.domain.roles import TokenRole

app = typer.Typer(add_completion=False)

AmountArgument = Annotated[
    str, typer.Argument(help="An amount with its unit: 5coin, 1.25coin or 500base.")
]
AccountArgument = Annotated[str, typer.Argument(help="A user's, pool's or treasury's account.")]
RemarkOption = Annotated[str, typer.Option("--remark", help="What for; it stands on the ledger.")]


@app.command("mint")
def mint(
    account_id: AccountArgument,
    amount: AmountArgument,
    remark: RemarkOption,
    key: KeyOption = None,
    wait: WaitOption = True,
    timeout: TimeoutOption = 30.0,
    url: UrlOption = None,
    token: TokenOption = None,
    as_json: JsonOption = False,
) -> None:
    """Create coins on an account, as a super admin.

    The account is opened if there is none.

    Examples:
      gx mint alice 5coin --remark Welcome
      gx mint alice 500base --remark Correction --idempotency-key ticket-7
    """
    base_units = read_amount(amount)
    Sending(url=url, token=token, wait=wait, timeout_s=timeout, as_json=as_json).send(
        TokenRole.SUPER_ADMIN,
        lambda client: client.mint_coins(
            account_id=account_id, amount=base_units, remark=remark, idempotency_key=key
        ),
    )


@app.command("genesis")
def genesis(
    user_id: Annotated[str, typer.Argument(help="Who receives.")],
    key: KeyOption = None,
    wait: WaitOption = True,
    timeout: TimeoutOption = 30.0,
    url: UrlOption = None,
    token: TokenOption = None,
    as_json: JsonOption = False,
) -> None:
    """Pay a user, and the user's country, the genesis coins: once for each user.

    Examples:
      gx genesis alice
      gx genesis alice --json
    """
    Sending(url=url, token=token, wait=wait, timeout_s=timeout, as_json=as_json).send(
        TokenRole.ADMIN,
        lambda client: client.distribute_genesis(user_id=user_id, idempotency_key=key),
    )


@app.command("transfer")
def transfer(
    from_id: Annotated[str, typer.Argument(metavar="FROM", help="Who pays.")],
    to_id: Annotated[str, typer.Argument(metavar="TO", help="Who receives.")],
    amount: AmountArgument,
    remark: RemarkOption,
    key: KeyOption = None,
    wait: WaitOption = True,
    timeout: TimeoutOption = 30.0,
    url: UrlOption = None,
    token: TokenOption = None,
    as_json: JsonOption = False,
) -> None:
    """Pay coins from one account to another; the sender pays the fee.

    Acts for the sender: as a partner that may, or with the sender's own token.
    From a system account or treasury it acts as an admin.

    Examples:
      gx transfer alice bob 5coin --remark Lunch
      gx transfer alice bob 1.25coin --remark Tea --no-wait --json
      gx transfer treasury_US alice 100coin --remark Grant
    """
    base_units, is_system = read_amount(amount), is_reserved(from_id)
    Sending(url=url, token=token, wait=wait, timeout_s=timeout, as_json=as_json).send(
        TokenRole.ADMIN if is_system else TokenRole.PARTNER,
        lambda client: client.transfer_tokens(
            from_id=from_id, to_id=to_id, amount=base_units, remark=remark, idempotency_key=key
        ),
        acts_for=None if is_system else from_id,
    )


@app.command("balance")
def balance(
    account_id: AccountArgument,
    url: UrlOption = None,
    token: TokenOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show an account's balance, and whether it may send.

    Examples:
      gx balance alice
      gx balance treasury_US --json
    """
    account = talk(
        Target(url=url, token=token),
        TokenRole.ADMIN,
        lambda client: client.balance(account_id=account_id),
    )
    if as_json:
        show_json(account.to_wire())
    else:
        show_account(account)


@app.command("entries")
def entries(
    account_id: AccountArgument,
    limit: LimitOption = 20,
    cursor: CursorOption = None,
    url: UrlOption = None,
    token: TokenOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show what changed an account's balance, newest first.

    Examples:
      gx entries alice
      gx entries SYSTEM_LOAN_POOL --limit 5 --json
    """
    page = talk(
        Target(url=url, token=token),
        TokenRole.ADMIN,
        lambda client: client.account_entries(account_id=account_id, limit=limit, cursor=cursor),
    )
    if as_json:
        items: list[JsonValue] = [entry.to_wire() for entry in page.items]
        show_json({"items": items, "nextCursor": page.next_cursor})
        return
    show_table(
        ("block>", "when", "kind", "coins>", "with", "remark"),
        (
            (
                str(entry.block_number),
                seconds_text(entry.recorded_at),
                entry.kind,
                coins_text(entry.delta),
                entry.counterparty or "",
                entry.remark or "",
            )
            for entry in page.items
        ),
    )
    if page.next_cursor:
        say(f"More: --cursor {page.next_cursor}")


@app.command("supply")
def supply(url: UrlOption = None, as_json: JsonOption = False) -> None:
    """Show how many coins there are, and whether the accounts hold as many.

    Examples:
      gx supply
      gx supply --json
    """
    found = talk(Target(url=url), None, lambda client: client.supply())
    if as_json:
        show_json({**found.to_wire(), "conserved": found.minted == found.balances})
        return
    show_fields(
        [
            ("minted", coins_text(found.minted)),
            ("in accounts", coins_text(found.balances)),
            ("cap", coins_text(found.cap)),
            ("still mintable", coins_text(min(found.cap, SUPPLY_CAP) - found.minted)),
            ("conserved", "yes" if found.minted == found.balances else "NO"),
        ]
    )


@app.command("pools")
def pools(url: UrlOption = None, as_json: JsonOption = False) -> None:
    """Show the system accounts and how far the genesis distribution has come.

    Examples:
      gx pools
      gx pools --json
    """
    found = talk(Target(url=url), None, lambda client: client.pools())
    if as_json:
        show_json(found.to_wire())
        return
    show_table(
        ("pool", "balance>"),
        ((pool.account_id, coins_text(pool.balance)) for pool in found.pools),
    )
    phase = found.genesis.phase or "none left"
    show(f"genesis: {found.genesis.distributed} users paid, next phase {phase}")


def show_account(account: Account) -> None:
    """Show an account for people."""
    show_fields(
        [
            ("account", account.account_id),
            ("balance", coins_text(account.balance)),
            ("base units", str(account.balance)),
            ("kind", account.kind),
            ("status", account.status),
            ("frozen", (account.freeze_reason or "yes") if account.is_frozen else ""),
        ]
    )
