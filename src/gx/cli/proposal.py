"""`gx proposal`: votes on system parameters."""

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
)
from gx.cli.output import say, seconds_text, show_fields, show_json, show_table
from gx.cli.sending import Sending
from gx.cli.session import Target, talk
from gx.client.views import Proposal
from gx.domain.codec import JsonValue
from gx.domain.roles import TokenRole
from gx.domain.voting import Ballot

app = typer.Typer(name="proposal", no_args_is_help=True, add_completion=False)

ProposalArgument = Annotated[
    str,
    typer.Argument(metavar="PROPOSAL-ID", help="The proposal's id: parameter, tilde, command id."),
]
ActorOption = Annotated[str, typer.Option("--as", help="The user for whom it is done.")]


@app.callback()
def group() -> None:
    """Propose other values for system parameters, vote, and have the votes counted.

    Examples:
      gx proposal submit feeLowerBps 4 --title "Cheaper transfers" --as alice
      gx proposal list
    """


@app.command("submit")
def submit(
    target_param: Annotated[str, typer.Argument(metavar="PARAMETER", help="Which parameter.")],
    new_value: Annotated[str, typer.Argument(metavar="VALUE", help="Its new value.")],
    title: Annotated[str, typer.Option("--title", help="What it is about, for the voters.")],
    user_id: ActorOption,
    key: KeyOption = None,
    wait: WaitOption = True,
    timeout: TimeoutOption = 30.0,
    url: UrlOption = None,
    token: TokenOption = None,
    as_json: JsonOption = False,
) -> None:
    """Propose another value for a system parameter; votes are open for 14 days.

    Acts for a user, whose trust score must be 50.

    Examples:
      gx proposal submit feeLowerBps 4 --title "Cheaper transfers" --as alice
    """
    Sending(url=url, token=token, wait=wait, timeout_s=timeout, as_json=as_json).send(
        TokenRole.PARTNER,
        lambda client: client.submit_proposal(
            target_param=target_param, new_value=new_value, title=title, idempotency_key=key
        ),
        acts_for=user_id,
        shown=("proposalId",),
    )


@app.command("vote")
def vote(
    proposal_id: ProposalArgument,
    ballot: Annotated[Ballot, typer.Argument(help="What the voter says.")],
    user_id: ActorOption,
    key: KeyOption = None,
    wait: WaitOption = True,
    timeout: TimeoutOption = 30.0,
    url: UrlOption = None,
    token: TokenOption = None,
    as_json: JsonOption = False,
) -> None:
    """Vote on a proposal, for a user: once, before its end.

    Examples:
      gx proposal vote feeLowerBps~019a2f6e-7c1b… FOR --as bob
    """
    Sending(url=url, token=token, wait=wait, timeout_s=timeout, as_json=as_json).send(
        TokenRole.PARTNER,
        lambda client: client.vote_on_proposal(
            proposal_id=proposal_id, ballot=ballot.value, idempotency_key=key
        ),
        acts_for=user_id,
    )


@app.command("execute")
def execute(
    proposal_id: ProposalArgument,
    key: KeyOption = None,
    wait: WaitOption = True,
    timeout: TimeoutOption = 30.0,
    url: UrlOption = None,
    token: TokenOption = None,
    as_json: JsonOption = False,
) -> None:
    """Count the votes after the end, as an admin.

    The parameter changes if minProposalQuorum users voted, and 60 % of those
    for or against were for it. Else the proposal is rejected.

    Examples:
      gx proposal execute feeLowerBps~019a2f6e-7c1b-7d3a-9f04-2b8c51e0a7d6
    """
    Sending(url=url, token=token, wait=wait, timeout_s=timeout, as_json=as_json).send(
        TokenRole.ADMIN,
        lambda client: client.execute_proposal(proposal_id=proposal_id, idempotency_key=key),
        shown=("status", "reason"),
    )


@app.command("show")
def show_proposal(
    proposal_id: ProposalArgument, url: UrlOption = None, as_json: JsonOption = False
) -> None:
    """Show a proposal with its votes so far.

    Examples:
      gx proposal show feeLowerBps~019a2f6e-7c1b-7d3a-9f04-2b8c51e0a7d6
    """
    found = talk(Target(url=url), None, lambda client: client.proposal(proposal_id=proposal_id))
    if as_json:
        show_json(found.to_wire())
    else:
        show_fields(_fields(found))


@app.command("list")
def list_proposals(
    limit: LimitOption = 20,
    cursor: CursorOption = None,
    url: UrlOption = None,
    as_json: JsonOption = False,
) -> None:
    """List proposals, newest first.

    Examples:
      gx proposal list
      gx proposal list --json
    """
    page = talk(Target(url=url), None, lambda client: client.proposals(limit=limit, cursor=cursor))
    if as_json:
        items: list[JsonValue] = [found.to_wire() for found in page.items]
        show_json({"items": items, "nextCursor": page.next_cursor})
        return
    show_table(
        ("proposal", "value>", "status", "for>", "against>", "abstain>", "ends", "title"),
        (
            (
                found.proposal_id,
                found.new_value,
                found.status,
                str(found.votes_for),
                str(found.votes_against),
                str(found.votes_abstain),
                seconds_text(found.ends_at),
                found.title,
            )
            for found in page.items
        ),
    )
    if page.next_cursor:
        say(f"More: --cursor {page.next_cursor}")


def _fields(found: Proposal) -> list[tuple[str, str]]:
    votes = f"{found.votes_for} for, {found.votes_against} against, {found.votes_abstain} abstained"
    return [
        ("proposal", found.proposal_id),
        ("title", found.title),
        ("parameter", found.target_param),
        ("new value", found.new_value),
        ("status", found.status),
        ("rejected because", found.reject_reason or ""),
        ("votes", votes),
        ("proposed by", found.proposer_id),
        ("submitted", seconds_text(found.submitted_at)),
        ("voting ends", seconds_text(found.ends_at)),
        ("decided", seconds_text(found.decided_at)),
    ]
