"""`gx organization`: what several people own, and pay only together."""

from collections.abc import Iterable
from typing import Annotated, Final

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
from gx.client.organization_commands import AuthRule
from gx.client.organization_views import MultiSigTransaction, Organization
from gx.domain.codec import JsonValue
from gx.domain.organizations import OrganizationType
from gx.domain.roles import TokenRole

app = typer.Typer(name="organization", no_args_is_help=True, add_completion=False)

OrganizationArgument = Annotated[
    str, typer.Argument(metavar="ORG-ID", help="The organisation's id.")
]
PaymentArgument = Annotated[
    str, typer.Argument(metavar="TX-ID", help="The payment's id, as it is listed.")
]
AsOption = Annotated[str, typer.Option("--as", help="The user for whom this is done.")]

_OUTCOME: Final = ("txId", "status", "approvals", "requiredApprovers")
_RULE_FORM: Final = "AMOUNT:APPROVERS:USER,USER..., such as 100coin:2:alice,bob,carol"


@app.callback()
def group() -> None:
    """Propose, endorse and activate organisations.

    An active one pays once enough of its stakeholders approve.

    Examples:
      gx organization endorse acme --as bob
    """


def read_rule(text: str) -> AuthRule:
    """Read `100coin:2:alice,bob,carol`: from so much on, so many of these must approve.

    Raises:
        UsageFailedError: it has another form.
    """
    threshold, _, rest = text.partition(":")
    required, _, group_text = rest.partition(":")
    people = _listed(group_text)
    if not required.isdecimal() or not people:
        raise UsageFailedError(f"{text!r} is no rule: give {_RULE_FORM}")
    return AuthRule(
        amount_threshold=read_amount(threshold),
        required_approvers=int(required),
        approver_group=people,
    )


def _listed(text: str) -> list[str]:
    return [person for person in text.split(",") if person]


@app.command("propose")
def propose(
    org_id: OrganizationArgument,
    name: Annotated[str, typer.Option("--name", help="Its name.")],
    stakeholders: Annotated[
        str, typer.Option("--stakeholders", help="Who must endorse it: 2 to 20 ids, with commas.")
    ],
    acting: AsOption,
    kind: Annotated[
        OrganizationType, typer.Option("--type", help="A GOVERNMENT is proposed as an admin.")
    ] = OrganizationType.BUSINESS,
    rule: Annotated[
        list[str] | None, typer.Option("--rule", help=f"Who approves: {_RULE_FORM}.")
    ] = None,
    key: KeyOption = None,
    wait: WaitOption = True,
    timeout: TimeoutOption = 30.0,
    url: UrlOption = None,
    token: TokenOption = None,
    as_json: JsonOption = False,
) -> None:
    """Propose an organisation; its account opens locked.

    Examples:
      gx organization propose acme --name Acme --stakeholders alice,bob --as bob
    """
    rules = [read_rule(text) for text in rule or ()]
    is_government = kind is OrganizationType.GOVERNMENT
    Sending(url=url, token=token, wait=wait, timeout_s=timeout, as_json=as_json).send(
        TokenRole.ADMIN if is_government else TokenRole.PARTNER,
        lambda client: client.propose_organization(
            org_id=org_id,
            name=name,
            type=kind.value,
            stakeholders=_listed(stakeholders),
            rules=rules,
            idempotency_key=key,
        ),
        acts_for=acting,
    )


@app.command("endorse")
def endorse(
    org_id: OrganizationArgument,
    acting: AsOption,
    key: KeyOption = None,
    wait: WaitOption = True,
    timeout: TimeoutOption = 30.0,
    url: UrlOption = None,
    token: TokenOption = None,
    as_json: JsonOption = False,
) -> None:
    """Agree, as a stakeholder, to a proposed organisation and its rules.

    Examples:
      gx organization endorse acme --as bob
    """
    Sending(url=url, token=token, wait=wait, timeout_s=timeout, as_json=as_json).send(
        TokenRole.PARTNER,
        lambda client: client.endorse_membership(org_id=org_id, idempotency_key=key),
        acts_for=acting,
    )


@app.command("activate")
def activate(
    org_id: OrganizationArgument,
    acting: AsOption,
    key: KeyOption = None,
    wait: WaitOption = True,
    timeout: TimeoutOption = 30.0,
    url: UrlOption = None,
    token: TokenOption = None,
    as_json: JsonOption = False,
) -> None:
    """Let an organisation begin that every stakeholder has endorsed.

    Examples:
      gx organization activate acme --as alice
    """
    Sending(url=url, token=token, wait=wait, timeout_s=timeout, as_json=as_json).send(
        TokenRole.PARTNER,
        lambda client: client.activate_organization(org_id=org_id, idempotency_key=key),
        acts_for=acting,
    )


@app.command("rule")
def define_rule(
    org_id: OrganizationArgument,
    rule: Annotated[str, typer.Argument(metavar="RULE", help=f"{_RULE_FORM}.")],
    acting: AsOption,
    key: KeyOption = None,
    wait: WaitOption = True,
    timeout: TimeoutOption = 30.0,
    url: UrlOption = None,
    token: TokenOption = None,
    as_json: JsonOption = False,
) -> None:
    """Want a further rule; it counts once every stakeholder wants it.

    Examples:
      gx organization rule acme 1000coin:3:alice,bob,carol --as alice
    """
    wanted = read_rule(rule)
    Sending(url=url, token=token, wait=wait, timeout_s=timeout, as_json=as_json).send(
        TokenRole.PARTNER,
        lambda client: client.define_auth_rule(org_id=org_id, rule=wanted, idempotency_key=key),
        acts_for=acting,
        shown=("ruleId", "isEffective"),
    )


@app.command("pay")
def pay(
    org_id: OrganizationArgument,
    to_id: Annotated[str, typer.Argument(metavar="TO", help="Who receives.")],
    amount: Annotated[str, typer.Argument(help="With its unit: 5coin, 1.25coin or 500base.")],
    remark: Annotated[str, typer.Option("--remark", help="What for; it stands on the ledger.")],
    acting: AsOption,
    key: KeyOption = None,
    wait: WaitOption = True,
    timeout: TimeoutOption = 30.0,
    url: UrlOption = None,
    token: TokenOption = None,
    as_json: JsonOption = False,
) -> None:
    """Want an organisation to pay; its strictest rule says who approves.

    Examples:
      gx organization pay acme bob 5coin --remark Rent --as alice
    """
    base_units = read_amount(amount)
    Sending(url=url, token=token, wait=wait, timeout_s=timeout, as_json=as_json).send(
        TokenRole.PARTNER,
        lambda client: client.initiate_multisig_tx(
            org_id=org_id, to_id=to_id, amount=base_units, remark=remark, idempotency_key=key
        ),
        acts_for=acting,
        shown=_OUTCOME,
    )


@app.command("approve")
def approve(
    tx_id: PaymentArgument,
    acting: AsOption,
    key: KeyOption = None,
    wait: WaitOption = True,
    timeout: TimeoutOption = 30.0,
    url: UrlOption = None,
    token: TokenOption = None,
    as_json: JsonOption = False,
) -> None:
    """Approve a payment; the last approval needed pays, once.

    Examples:
      gx organization approve acme~bob~019a2f6e-7c1b-7d3a --as carol
    """
    Sending(url=url, token=token, wait=wait, timeout_s=timeout, as_json=as_json).send(
        TokenRole.PARTNER,
        lambda client: client.approve_multisig_tx(tx_id=tx_id, idempotency_key=key),
        acts_for=acting,
        shown=_OUTCOME,
    )


@app.command("show")
def show_organization(
    org_id: OrganizationArgument,
    url: UrlOption = None,
    token: TokenOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show an organisation, its stakeholders and its rules.

    Examples:
      gx organization show acme
    """
    found = talk(
        Target(url=url, token=token),
        TokenRole.ADMIN,
        lambda client: client.organization(org_id=org_id),
    )
    if as_json:
        show_json(found.to_wire())
    else:
        show_fields(_fields(found))


@app.command("pending")
def pending(
    org_id: OrganizationArgument,
    limit: LimitOption = 20,
    cursor: CursorOption = None,
    only_ids: Annotated[
        bool, typer.Option("--ids", help="Print the payments' ids alone, one a line.")
    ] = False,
    url: UrlOption = None,
    token: TokenOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the payments that wait for approvals.

    Examples:
      gx organization pending acme
      gx organization pending acme --ids
    """
    page = talk(
        Target(url=url, token=token),
        TokenRole.ADMIN,
        lambda client: client.pending_transactions(org_id=org_id, limit=limit, cursor=cursor),
    )
    if as_json:
        items: list[JsonValue] = [item.to_wire() for item in page.items]
        show_json({"items": items, "nextCursor": page.next_cursor})
    elif only_ids:
        for item in page.items:
            show(item.tx_id)
    else:
        _show_payments(page.items)
    if page.next_cursor and not as_json:
        say(f"More: --cursor {page.next_cursor}")


def _show_payments(payments: Iterable[MultiSigTransaction]) -> None:
    show_table(
        ("payment", "coins>", "approvals", "of", "remark"),
        (
            (
                payment.tx_id,
                coins_text(payment.amount),
                f"{payment.approvals} of {payment.required_approvers}",
                ", ".join(payment.approver_group),
                payment.remark,
            )
            for payment in payments
        ),
    )


@app.command("payment")
def show_payment(
    tx_id: PaymentArgument,
    url: UrlOption = None,
    token: TokenOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show a payment: who approved it, and what became of it.

    Examples:
      gx organization payment acme~bob~019a2f6e-7c1b-7d3a
    """
    found = talk(
        Target(url=url, token=token),
        TokenRole.ADMIN,
        lambda client: client.multisig_transaction(tx_id=tx_id),
    )
    if as_json:
        show_json(found.to_wire())
    else:
        show_fields(_payment_fields(found))


def _fields(found: Organization) -> list[tuple[str, str]]:
    members = (
        ("stakeholder", f"{member.user_id} {_endorsed(seconds_text(member.endorsed_at))}")
        for member in found.stakeholders
    )
    rules = (
        (
            "rule",
            f"from {coins_text(rule.amount_threshold)}: {rule.required_approvers} of "
            f"{', '.join(rule.approver_group)}"
            + ("" if rule.effective_at else f" (endorsed by {rule.endorsements})"),
        )
        for rule in found.rules
    )
    return [
        ("organisation", found.org_id),
        ("name", found.name),
        ("type", found.type),
        ("status", found.status),
        ("activated", seconds_text(found.activated_at)),
        *members,
        *rules,
    ]


def _endorsed(at: str) -> str:
    return f"endorsed {at}" if at else "has not endorsed"


def _payment_fields(found: MultiSigTransaction) -> list[tuple[str, str]]:
    return [
        ("payment", found.tx_id),
        ("amount", coins_text(found.amount)),
        ("fee", coins_text(found.fee)),
        ("remark", found.remark),
        ("status", found.status),
        ("approved by", ", ".join(found.approved_by)),
        ("needed", f"{found.required_approvers} of {', '.join(found.approver_group)}"),
        ("failed with", found.failure_code or ""),
        ("because", found.failure_detail or ""),
        ("settled", seconds_text(found.settled_at)),
    ]
