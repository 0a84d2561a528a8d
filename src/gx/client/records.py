"""Reads a record out of an answer; an answer that is none names the request."""

from typing import TypeVar

from gx.client.errors import UnexpectedAnswerError
from gx.client.requests import Request
from gx.client.transport import Answer
from gx.domain.codec import DecodeError, Record

RecordT = TypeVar("RecordT", bound=Record)


def parse_record(kind: type[RecordT], answer: Answer, request: Request) -> RecordT:
    """Read the answer's object.

    Raises:
        UnexpectedAnswerError: it lacks a field, or has one of another type.
    """
    try:
        return kind.from_wire(answer.body)
    except DecodeError as error:
        raise UnexpectedAnswerError(str(request), str(error)) from error
