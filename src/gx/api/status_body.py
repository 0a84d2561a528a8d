"""Commands and dead letters as clients see them."""

from typing import Final

from gx.api.problems import Problem
from gx.api.settings import API_PREFIX
from gx.domain.codec import JsonObject, JsonValue
from gx.domain.command_status import CommandStatus
from gx.domain.identifiers import CommandId
from gx.domain.refusals import RefusalCode
from gx.outbox.ports import CommandView, DeadLetter

_WITH_PROBLEM: Final = frozenset({CommandStatus.REJECTED, CommandStatus.DEAD})
_GIVEN_UP: Final = "The command was given up; an operator may replay or discard it."


def status_url(command_id: CommandId) -> str:
    """Return where to ask what became of a command."""
    return f"{API_PREFIX}/commands/{command_id}"


def accepted_body(command_id: CommandId, status: CommandStatus) -> JsonObject:
    """Return the body that answers a write."""
    return {
        "commandId": command_id,
        "status": status.value,
        "statusUrl": status_url(command_id),
    }


def status_body(view: CommandView) -> JsonObject:
    """Return a command's status resource; what is not known is left out.

    A command that the ledger refused, or that was given up, carries its problem as the edge
    would have answered it, had it known at once.
    """
    body: JsonObject = {
        **accepted_body(view.command_id, view.status),
        "commandType": view.command_type,
        "arguments": dict[str, JsonValue](view.arguments),
        "actor": view.actor,
        "subject": view.subject,
        "acceptedAtMs": view.accepted_at_ms,
        "attempts": view.attempts,
    }
    known: JsonObject = {
        "preparedAtMs": view.prepared_at_ms,
        "batchCommands": view.batch_commands,
        "settledAtMs": view.settled_at_ms,
        "projectedAtMs": view.projected_at_ms,
        "code": view.code,
        "detail": view.detail,
        "result": view.result,
        "transactionId": view.transaction_id,
        "blockNumber": view.block_number,
        "problem": _problem_of(view),
    }
    body.update((name, value) for name, value in known.items() if value is not None)
    return body


def dead_letter_body(letter: DeadLetter) -> JsonObject:
    """Return a dead letter with everything that was tried."""
    return {
        "commandId": letter.command_id,
        "commandType": letter.command_type,
        "arguments": dict[str, JsonValue](letter.arguments),
        "actor": letter.actor,
        "reason": letter.reason,
        "buriedAtMs": letter.buried_at_ms,
        "state": letter.state,
        "history": list[JsonValue](letter.history),
    }


def _problem_of(view: CommandView) -> JsonObject | None:
    if view.status not in _WITH_PROBLEM:
        return None
    return Problem(
        code=view.code or RefusalCode.INTERNAL_ERROR, detail=view.detail or _GIVEN_UP
    ).to_wire()
