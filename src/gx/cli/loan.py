"""`gx loan`: loans from the loan pool."""

from hashlib import sha256
from pathlib import Path
from typing import Annotated

import typer

from gx.cli.failures import UsageFailedError
from gx.cli.money import AmountArgument
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
from gx.cli.output import coins_text, say, seconds_text, show_fields, show_json, show_table
from gx.cli.sending import Sending
from gx.cli.session import Target, talk
from gx.cli.user import UserArgument
from gx.client.views import Loan
from gx.domain.codec import JsonValue
from gx.domain.owned_ids import owner_of
from gx.domain.roles import TokenRole

app = typer.Typer(name="loan", no_args_is_help=True, add_completion=False)

LoanArgument = Annotated[
    str, typer.Argument(metavar="LOAN-ID", help="The loan's id: borrower, tilde, command id.")
]


@app.callback()
def group() -> None:
    """Ask for loans from the loan pool, decide about them, pay them back.

    Examples:
      gx loan apply alice 500coin --collateral deed.pdf
      gx loan list alice
    """


@app.command("apply")
def apply(
    borrower_id: UserArgument,
    amount: AmountArgument,
    collateral: Annotated[
        Path | None,
        typer.Option("--collateral", help="File that describes the collateral; it is hashed."),
    ] = None,
    collateral_hash: Annotated[
        str | None, typer.Option("--collateral-hash", help="Or its SHA-256 in hex.")
    ] = None,
    key: KeyOption = None,
    wait: WaitOption = True,
    timeout: TimeoutOption = 30.0,
    url: UrlOption = None,
    token: TokenOption = None,
    as_json: JsonOption = False,
) -> None:
    """Ask for a loan of 100 to 1,000,000 coins; acts for the borrower.

    It needs a trust score of 75, and room: at most 5 open loans of a borrower,
    with 2,500,000 coins in all. An administrator decides.

    Examples:
      gx loan apply alice 500coin --collateral deed.pdf
    """
    base_units, hashed = read_amount(amount), _read_collateral(collateral, collateral_hash)
    Sending(url=url, token=token, wait=wait, timeout_s=timeout, as_json=as_json).send(
        TokenRole.PARTNER,
        lambda client: client.apply_for_loan(
            borrower_id=borrower_id,
            amount=base_units,
            collateral_hash=hashed,
            idempotency_key=key,
        ),
        acts_for=borrower_id,
        shown=("loanId",),
    )


@app.command("approve")
def approve(
    loan_id: LoanArgument,
    key: KeyOption = None,
    wait: WaitOption = True,
    timeout: TimeoutOption = 30.0,
    url: UrlOption = None,
    token: TokenOption = None,
    as_json: JsonOption = False,
) -> None:
    """Pay a pending loan out of the loan pool, as an admin.

    Examples:
      gx loan approve alice~019a2f6e-7c1b-7d3a-9f04-2b8c51e0a7d6
    """
    Sending(url=url, token=token, wait=wait, timeout_s=timeout, as_json=as_json).send(
        TokenRole.ADMIN,
        lambda client: client.approve_loan(loan_id=loan_id, idempotency_key=key),
    )


@app.command("reject")
def reject(
    loan_id: LoanArgument,
    reason: Annotated[str, typer.Option("--reason", help="Why; it stands on the ledger.")],
    key: KeyOption = None,
    wait: WaitOption = True,
    timeout: TimeoutOption = 30.0,
    url: UrlOption = None,
    token: TokenOption = None,
    as_json: JsonOption = False,
) -> None:
    """Turn a pending loan down, as an admin.

    Examples:
      gx loan reject alice~019a2f6e-7c1b-7d3a-9f04-2b8c51e0a7d6 --reason "No deed"
    """
    Sending(url=url, token=token, wait=wait, timeout_s=timeout, as_json=as_json).send(
        TokenRole.ADMIN,
        lambda client: client.reject_loan(loan_id=loan_id, reason=reason, idempotency_key=key),
    )


@app.command("repay")
def repay(
    loan_id: LoanArgument,
    amount: AmountArgument,
    key: KeyOption = None,
    wait: WaitOption = True,
    timeout: TimeoutOption = 30.0,
    url: UrlOption = None,
    token: TokenOption = None,
    as_json: JsonOption = False,
) -> None:
    """Pay some of a loan back, or all of it; acts for the borrower, free of fees.

    Examples:
      gx loan repay alice~019a2f6e-7c1b-7d3a-9f04-2b8c51e0a7d6 200coin
    """
    base_units = read_amount(amount)
    Sending(url=url, token=token, wait=wait, timeout_s=timeout, as_json=as_json).send(
        TokenRole.PARTNER,
        lambda client: client.repay_loan(loan_id=loan_id, amount=base_units, idempotency_key=key),
        acts_for=owner_of(loan_id),
    )


@app.command("show")
def show_loan(
    loan_id: LoanArgument,
    url: UrlOption = None,
    token: TokenOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show a loan.

    Examples:
      gx loan show alice~019a2f6e-7c1b-7d3a-9f04-2b8c51e0a7d6
    """
    found = talk(
        Target(url=url, token=token),
        TokenRole.ADMIN,
        lambda client: client.loan(loan_id=loan_id),
    )
    if as_json:
        show_json(found.to_wire())
    else:
        show_fields(_fields(found))


@app.command("list")
def list_loans(
    borrower_id: UserArgument,
    limit: LimitOption = 20,
    cursor: CursorOption = None,
    url: UrlOption = None,
    token: TokenOption = None,
    as_json: JsonOption = False,
) -> None:
    """List a user's loans, newest first.

    Examples:
      gx loan list alice
      gx loan list alice --json
    """
    page = talk(
        Target(url=url, token=token),
        TokenRole.ADMIN,
        lambda client: client.user_loans(user_id=borrower_id, limit=limit, cursor=cursor),
    )
    if as_json:
        items: list[JsonValue] = [loan.to_wire() for loan in page.items]
        show_json({"items": items, "nextCursor": page.next_cursor})
        return
    show_table(
        ("loan", "status", "amount>", "outstanding>", "applied"),
        (
            (
                loan.loan_id,
                loan.status,
                coins_text(loan.amount),
                coins_text(loan.outstanding),
                seconds_text(loan.applied_at),
            )
            for loan in page.items
        ),
    )
    if page.next_cursor:
        say(f"More: --cursor {page.next_cursor}")


def _read_collateral(collateral: Path | None, collateral_hash: str | None) -> str:
    """Return the named hash, or that of the named file."""
    if collateral is None and collateral_hash is not None:
        return collateral_hash
    if collateral is None or collateral_hash is not None:
        raise UsageFailedError("name either --collateral or --collateral-hash")
    try:
        return sha256(collateral.read_bytes()).hexdigest()
    except OSError as error:
        raise UsageFailedError(f"{collateral} cannot be read: {error.strerror}") from error


def _fields(found: Loan) -> list[tuple[str, str]]:
    return [
        ("loan", found.loan_id),
        ("borrower", found.borrower_id),
        ("status", found.status),
        ("amount", coins_text(found.amount)),
        ("outstanding", coins_text(found.outstanding)),
        ("repaid", coins_text(found.repaid)),
        ("trust score then", str(found.trust_score)),
        ("collateral", found.collateral_hash),
        ("applied", seconds_text(found.applied_at)),
        ("decided", seconds_text(found.decided_at)),
        ("turned down because", found.reject_reason or ""),
        ("repaid whole", seconds_text(found.repaid_at)),
    ]
