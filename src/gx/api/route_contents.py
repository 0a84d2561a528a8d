"""What the edge's own routes take and answer, for the OpenAPI document."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from gx.api.command_status import AWAITED
from gx.api.dead_letters import REASON
from gx.api.route_table import (
    DISCARD_LETTER,
    FOLLOW_COMMAND,
    LIST_COMMANDS,
    LIST_LETTERS,
    QUERY_COMMANDS,
    REPLAY_LETTER,
    SHOW_COMMAND,
    SHOW_LETTER,
    SHOW_OPENAPI,
    SHOW_PROBLEM,
)
from gx.api.schemas import COMMAND_ID, EXAMPLES, fields_schema, reference
from gx.domain.codec import JsonObject, JsonValue
from gx.domain.command_status import CommandStatus
from gx.domain.refusals import RefusalCode


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """What a route takes and answers. `parameters` and `headers` name components."""

    answer_schema: JsonObject
    answer_example: JsonValue
    answer_description: str = "It was done."
    description: str = ""
    path_examples: Mapping[str, str] = field(default_factory=dict)
    path_schemas: Mapping[str, JsonObject] = field(default_factory=dict)
    body_schema: JsonObject | None = None
    body_example: JsonObject | None = None
    headers: tuple[str, ...] = ()
    parameters: tuple[str, ...] = ()
    own_parameters: tuple[JsonObject, ...] = ()
    codes: tuple[RefusalCode, ...] = ()
    is_stream: bool = False


_IN_PATH: Final = {"commandId": str(COMMAND_ID)}
_PATH_SCHEMAS: Final[Mapping[str, JsonObject]] = {"commandId": {"type": "string", "format": "uuid"}}
_KNOWN: Final = (RefusalCode.NOT_FOUND, RefusalCode.GONE)
_PAGED: Final = ("Limit", "Cursor")
_ACT: Final[JsonObject] = {REASON.name: REASON.example}
_IDS: Final[JsonObject] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["commandIds"],
    "properties": {
        "commandIds": {
            "type": "array",
            "minItems": 1,
            "maxItems": 500,
            "items": {"type": "string", "format": "uuid"},
        }
    },
}


def _query(name: str, description: str, schema: JsonObject) -> JsonObject:
    return {"name": name, "in": "query", "description": description, "schema": schema}


_WAIT: Final = (
    _query(
        "wait",
        "Answer once the command has this status or a final one, or when the time is up.",
        {"type": "string", "enum": [status.value for status in AWAITED]},
    ),
    _query(
        "timeout",
        "Seconds to wait at most.",
        {"type": "number", "minimum": 0, "maximum": 30, "default": 10},
    ),
)
_STATUS: Final = (_query("status", "Only commands with this status.", reference("CommandStatus")),)
_STREAM_EXAMPLE: Final = 'retry: 1000\n\nevent: status\nid: PENDING\ndata: {"commandId": "..."}\n\n'

CONTENTS: Final[dict[str, Content]] = {
    SHOW_COMMAND.name: Content(
        path_examples=_IN_PATH, path_schemas=_PATH_SCHEMAS, own_parameters=_WAIT, codes=_KNOWN,
        answer_schema=reference("Command"), answer_example=EXAMPLES["Command"],
        answer_description="The command as it stands now.",
    ),
    FOLLOW_COMMAND.name: Content(
        path_examples=_IN_PATH, path_schemas=_PATH_SCHEMAS, codes=_KNOWN, is_stream=True,
        answer_schema={"type": "string"}, answer_example=_STREAM_EXAMPLE,
        answer_description=(
            "Events named `status` whose data is the command; comments in between."
        ),
    ),
    LIST_COMMANDS.name: Content(
        own_parameters=_STATUS, parameters=_PAGED,
        answer_schema=reference("CommandPage"), answer_example=EXAMPLES["CommandPage"],
    ),
    QUERY_COMMANDS.name: Content(
        body_schema=_IDS, body_example={"commandIds": [COMMAND_ID]},
        answer_schema=reference("CommandPage"), answer_example=EXAMPLES["CommandPage"],
        answer_description="Those of the commands that are known, in no particular order.",
    ),
    LIST_LETTERS.name: Content(
        parameters=_PAGED, answer_schema=reference("DeadLetterPage"),
        answer_example=EXAMPLES["DeadLetterPage"],
    ),
    SHOW_LETTER.name: Content(
        path_examples=_IN_PATH, path_schemas=_PATH_SCHEMAS, codes=(RefusalCode.NOT_FOUND,),
        answer_schema=reference("DeadLetter"), answer_example=EXAMPLES["DeadLetter"],
    ),
    REPLAY_LETTER.name: Content(
        path_examples=_IN_PATH, path_schemas=_PATH_SCHEMAS,
        body_schema=fields_schema([REASON]), body_example=_ACT,
        headers=("Location",), codes=(RefusalCode.NOT_FOUND, RefusalCode.DEAD_LETTER_STATE),
        answer_schema=reference("CommandAccepted"), answer_example=EXAMPLES["CommandAccepted"],
        answer_description="The command waits again.",
    ),
    DISCARD_LETTER.name: Content(
        path_examples=_IN_PATH, path_schemas=_PATH_SCHEMAS,
        body_schema=fields_schema([REASON]), body_example=_ACT,
        codes=(RefusalCode.NOT_FOUND, RefusalCode.DEAD_LETTER_STATE),
        answer_schema=reference("CommandAccepted"),
        answer_example={
            **EXAMPLES["CommandAccepted"], "status": CommandStatus.DISCARDED.value,
        },
        answer_description="The command is given up for good.",
    ),
    SHOW_OPENAPI.name: Content(
        answer_schema={"type": "object"}, answer_example={"openapi": "3.1.0"},
        answer_description="This document.",
    ),
    SHOW_PROBLEM.name: Content(
        path_examples={"code": RefusalCode.GONE.value}, codes=(RefusalCode.NOT_FOUND,),
        answer_schema=reference("ProblemType"), answer_example=EXAMPLES["ProblemType"],
    ),
}  # fmt: skip
"""By the route's name."""
