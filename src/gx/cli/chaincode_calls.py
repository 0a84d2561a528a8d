"""`gx chaincode invoke|query`: a contract function, called directly."""

import asyncio
from typing import Annotated

import typer

from gx.cli.failures import CheckFailedError
from gx.cli.options import JsonOption
from gx.cli.output import show, show_fields, show_json
from gx.domain.roles import LedgerRole
from gx.ledger.ports import Proposal, ValidationCode
from gx.runtime.chaincode_calls import Invocation, role_for
from gx.runtime.chaincode_calls import invoke as call_invoke
from gx.runtime.chaincode_calls import query as call_query

FunctionArgument = Annotated[str, typer.Argument(help="The function, as Contract:Function.")]
ArgumentsArgument = Annotated[
    list[str] | None, typer.Argument(help="Its arguments, in order; put -- before negative ones.")
]
RoleOption = Annotated[
    LedgerRole | None,
    typer.Option("--role", help="Who signs; else a role that the function admits."),
]


def add_calls(app: typer.Typer) -> None:
    """Add the subcommands to `gx chaincode`."""
    app.command("invoke")(invoke)
    app.command("query")(query)


def invoke(
    function: FunctionArgument,
    arguments: ArgumentsArgument = None,
    role: RoleOption = None,
    as_json: JsonOption = False,
) -> None:
    """Call a contract function, record what it does, and wait for the verdict.

    Past the API and the outbox: no idempotency key guards it, so a second
    call is a second command. Exits with 1 if it was refused or invalidated.

    Examples:
      gx chaincode invoke AdminContract:BootstrapSystem
      gx chaincode invoke TokenomicsContract:Mint alice 500000000 bonus
    """
    found = asyncio.run(call_invoke(_proposal(function, arguments, role)))
    if as_json:
        _show_wire(found)
    else:
        _show_invocation(found)
    if found.verdict.validation_code is not ValidationCode.VALID:
        raise CheckFailedError(
            f"the transaction was invalidated ({found.verdict.validation_code}) and changed nothing"
        )


def query(
    function: FunctionArgument,
    arguments: ArgumentsArgument = None,
    role: RoleOption = None,
) -> None:
    """Call a contract function on the current state; nothing is recorded.

    Examples:
      gx chaincode query TokenomicsContract:GetBalance alice
      gx chaincode query AdminContract:GetSystemStatus --role gx_admin
    """
    show(asyncio.run(call_query(_proposal(function, arguments, role))))


def _proposal(function: str, arguments: list[str] | None, role: LedgerRole | None) -> Proposal:
    return Proposal(
        function=function, arguments=tuple(arguments or ()), role=role or role_for(function)
    )


def _show_invocation(found: Invocation) -> None:
    verdict = found.verdict
    show_fields(
        (
            ("transaction", verdict.transaction_id),
            ("block", str(verdict.block_number)),
            ("validation", verdict.validation_code.value),
            ("event", verdict.event.name if verdict.event else ""),
            ("result", found.result),
        )
    )


def _show_wire(found: Invocation) -> None:
    verdict = found.verdict
    show_json(
        {
            "transactionId": verdict.transaction_id,
            "blockNumber": verdict.block_number,
            "validationCode": verdict.validation_code.value,
            "event": verdict.event.name if verdict.event else None,
            "result": found.result,
        }
    )
