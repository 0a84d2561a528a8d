"""The JSON schemas of what the edge takes and answers, with one example of each.

`tests/api/test_openapi.py` holds every example against its schema, and real answers too.
"""

from typing import Final

from gx.api.problems import PROBLEM_TYPES, TYPE_PREFIX, Problem
from gx.api.status_body import accepted_body, status_body
from gx.domain.arguments import Argument, Source
from gx.domain.codec import JsonObject, JsonValue
from gx.domain.command_status import CommandStatus
from gx.domain.commands import CommandSpec, QuerySpec
from gx.domain.identifiers import BlockNumber, CommandId, EpochMs, TransactionId
from gx.domain.refusals import RefusalCode
from gx.outbox.ports import CommandView

COMMAND_ID: Final = CommandId("019a2f6e-7c1b-7d3a-9f04-2b8c51e0a7d6")
REQUEST_ID: Final = "4bf92f3577b34da6a3ce929d0e0e4736"
_ACCEPTED_AT_MS: Final = EpochMs(1_763_750_000_123)
_PREPARED_AT_MS: Final = EpochMs(1_763_750_000_127)
_SETTLED_AT_MS: Final = EpochMs(1_763_750_000_161)
_PROJECTED_AT_MS: Final = EpochMs(1_763_750_000_170)
_TRANSACTION_ID: Final = TransactionId("9d" * 32)

_STRING: Final[JsonObject] = {"type": "string"}
_TIME_MS: Final[JsonObject] = {
    "type": "integer",
    "description": "Milliseconds since the Unix epoch.",
}
_COMMAND_ID: Final[JsonObject] = {
    "type": "string",
    "format": "uuid",
    "description": "A UUID of version 7, made by the server.",
}
_CODE: Final[JsonObject] = {
    "description": (
        "The reason, for machines. A newer ledger may give codes that are not listed here."
    ),
    "anyOf": [{"type": "string", "enum": [code.value for code in RefusalCode]}, _STRING],
}
_STATUS: Final[JsonObject] = {
    "type": "string",
    "enum": [status.value for status in CommandStatus],
    "description": (
        "PENDING: stored. PROCESSING: on its way to the ledger. COMMITTED: on the ledger. "
        "PROJECTED: visible in queries. REJECTED: refused by the ledger; final. "
        "DEAD: given up; an operator may replay or discard it. DISCARDED: given up for good."
    ),
}


def reference(name: str) -> JsonObject:
    """Refer to a component's schema."""
    return {"$ref": f"#/components/schemas/{name}"}


def _object(properties: JsonObject, *, optional: tuple[str, ...] = ()) -> JsonObject:
    return {
        "type": "object",
        "required": [name for name in properties if name not in optional],
        "properties": properties,
    }


def _time_ms(text: str) -> JsonObject:
    return {"type": "integer", "description": f"{text} Milliseconds since the Unix epoch."}


def _page_of(name: str) -> JsonObject:
    return _object(
        {
            "items": {"type": "array", "items": reference(name)},
            "nextCursor": {
                "type": ["string", "null"],
                "description": "Ask for the following items with it; null on the last page.",
            },
        }
    )


_PROBLEM: Final = _object(
    {
        "type": {"type": "string", "format": "uri-reference"},
        "title": _STRING,
        "status": {"type": "integer"},
        "code": _CODE,
        "detail": {"type": "string", "description": "For people; it may change."},
        "errors": {
            "type": "array",
            "description": "Every faulty field, where fields are faulty.",
            "items": _object({"field": _STRING, "code": _CODE, "detail": _STRING}),
        },
        "requestId": {"type": "string", "description": "Also in the header X-Request-Id."},
    },
    optional=("errors", "requestId"),
)

_ACCEPTED: Final = _object(
    {
        "commandId": _COMMAND_ID,
        "status": reference("CommandStatus"),
        "statusUrl": {"type": "string", "format": "uri-reference"},
    }
)

_COMMAND: Final = _object(
    {
        "commandId": _COMMAND_ID,
        "status": reference("CommandStatus"),
        "statusUrl": {"type": "string", "format": "uri-reference"},
        "commandType": _STRING,
        "arguments": {"type": "object", "additionalProperties": _STRING},
        "actor": {"type": "string", "description": "Whom the command acts for."},
        "subject": {"type": "string", "description": "Whose token sent it."},
        "acceptedAtMs": _TIME_MS,
        "attempts": {"type": "integer", "minimum": 0},
        "preparedAtMs": _time_ms("When the ledger transaction that carries it was prepared."),
        "batchCommands": {
            "type": "integer",
            "minimum": 1,
            "description": "How many commands that transaction carries.",
        },
        "settledAtMs": _time_ms("When its outcome on the ledger was stored."),
        "projectedAtMs": _time_ms(
            "When queries began to show its effect; kept for the newest blocks alone."
        ),
        "code": reference("RefusalCode"),
        "detail": _STRING,
        "result": {"type": "object", "description": "What the contract function returned."},
        "transactionId": {"type": "string", "pattern": "^[0-9a-f]{64}$"},
        "blockNumber": {"type": "integer", "minimum": 0},
        "problem": reference("Problem"),
    },
    optional=(
        "preparedAtMs", "batchCommands", "settledAtMs", "projectedAtMs",
        "code", "detail", "result", "transactionId", "blockNumber", "problem",
    ),
)  # fmt: skip

_DEAD_LETTER: Final = _object(
    {
        "commandId": _COMMAND_ID,
        "commandType": _STRING,
        "arguments": {"type": "object", "additionalProperties": _STRING},
        "actor": _STRING,
        "reason": _STRING,
        "buriedAtMs": _TIME_MS,
        "state": {"type": "string", "enum": ["dead", "replayed", "discarded"]},
        "history": {"type": "array", "items": {"type": "object"}},
    }
)

SCHEMAS: Final[JsonObject] = {
    "RefusalCode": _CODE,
    "CommandStatus": _STATUS,
    "Problem": _PROBLEM,
    "CommandAccepted": _ACCEPTED,
    "Command": _COMMAND,
    "CommandPage": _page_of("Command"),
    "DeadLetter": _DEAD_LETTER,
    "DeadLetterPage": _page_of("DeadLetter"),
    "ProblemType": _object(
        {"type": _STRING, "code": reference("RefusalCode"), "title": _STRING,
         "status": {"type": "integer"}}
    ),
}  # fmt: skip
"""The components' schemas by name."""


def _a_command() -> JsonObject:
    return status_body(
        CommandView(
            command_id=COMMAND_ID,
            command_type="TRANSFER_TOKENS",
            arguments={
                "fromId": "alice", "toId": "bob", "amount": "150000000", "remark": "Lunch",
            },
            actor="alice",
            subject="alice",
            status=CommandStatus.PROJECTED,
            accepted_at_ms=_ACCEPTED_AT_MS,
            prepared_at_ms=_PREPARED_AT_MS,
            batch_commands=3,
            settled_at_ms=_SETTLED_AT_MS,
            projected_at_ms=_PROJECTED_AT_MS,
            transaction_id=_TRANSACTION_ID,
            block_number=BlockNumber(42),
        )
    )  # fmt: skip


def _a_refused_command() -> JsonObject:
    return status_body(
        CommandView(
            command_id=COMMAND_ID,
            command_type="TRANSFER_TOKENS",
            arguments={"fromId": "alice", "toId": "bob", "amount": "1", "remark": "Lunch"},
            actor="alice",
            subject="alice",
            status=CommandStatus.REJECTED,
            accepted_at_ms=_ACCEPTED_AT_MS,
            settled_at_ms=_SETTLED_AT_MS,
            code=RefusalCode.INSUFFICIENT_FUNDS,
            detail="alice holds 0 base units, 1 is needed",
            transaction_id=_TRANSACTION_ID,
            block_number=BlockNumber(42),
        )
    )


_LETTER_EXAMPLE: Final[JsonObject] = {
    "commandId": COMMAND_ID,
    "commandType": "MINT_COINS",
    "arguments": {"accountId": "alice", "amount": "500000000", "remark": "Welcome"},
    "actor": "root",
    "reason": "gave up after 5 attempts",
    "buriedAtMs": _SETTLED_AT_MS,
    "state": "dead",
    "history": [{"atMs": _ACCEPTED_AT_MS, "reason": "endorsement failed"}],
}


def _one_page(item: JsonObject) -> JsonObject:
    return {"items": [item], "nextCursor": None}


EXAMPLES: Final[dict[str, JsonObject]] = {
    "CommandAccepted": accepted_body(COMMAND_ID, CommandStatus.PENDING),
    "Command": _a_command(),
    "RefusedCommand": _a_refused_command(),
    "CommandPage": _one_page(_a_command()),
    "DeadLetter": _LETTER_EXAMPLE,
    "DeadLetterPage": _one_page(_LETTER_EXAMPLE),
    "ProblemType": {
        "type": TYPE_PREFIX + RefusalCode.GONE,
        "code": RefusalCode.GONE.value,
        "title": PROBLEM_TYPES[RefusalCode.GONE].title,
        "status": PROBLEM_TYPES[RefusalCode.GONE].status.value,
    },
}
"""Examples by the name of their schema, and one more command."""


def body_schema(spec: CommandSpec | QuerySpec) -> JsonObject:
    """Describe the body that a request takes: exactly its arguments, each of its kind."""
    arguments = [argument for argument in spec.arguments if argument.source is Source.BODY]
    return fields_schema(arguments)


def fields_schema(arguments: list[Argument]) -> JsonObject:
    """Describe an object of exactly these fields."""
    properties: JsonObject = {
        argument.name: _described(argument.kind.schema(), argument.description)
        for argument in arguments
    }
    return {
        "type": "object",
        "additionalProperties": False,
        "required": [argument.name for argument in arguments],
        "properties": properties,
    }


def body_example(spec: CommandSpec | QuerySpec) -> JsonObject:
    """Give an example of the body that a request takes."""
    return {
        argument.name: argument.example
        for argument in spec.arguments
        if argument.source is Source.BODY
    }


def problem_example(code: RefusalCode) -> JsonObject:
    """Give an example of a problem."""
    return Problem(code=code, detail=PROBLEM_TYPES[code].title).to_wire(REQUEST_ID)


def _described(schema: JsonObject, description: str) -> JsonObject:
    parts: list[JsonValue] = [description, schema.get("description")]
    return {**schema, "description": " ".join(str(part) for part in parts if part)}
