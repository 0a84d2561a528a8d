"""Rules over several arguments of one command that hold whatever the ledger's state is."""

from collections.abc import Callable, Mapping
from typing import TypeAlias

from gx.domain.economics import parse_parameter
from gx.domain.refusals import RefusalCode, RefusedError

Coherence: TypeAlias = Callable[[Mapping[str, str]], None]
"""Raises RefusedError if arguments that are fine one by one cannot go together."""


def any_arguments(_arguments: Mapping[str, str]) -> None:
    """Let every combination pass."""


def require_two_accounts(arguments: Mapping[str, str]) -> None:
    """Refuse to move coins from an account to itself.

    Raises:
        RefusedError: SELF_TRANSFER.
    """
    if arguments["fromId"] == arguments["toId"]:
        raise RefusedError(
            RefusalCode.SELF_TRANSFER, f"{arguments['fromId']} cannot pay itself: name another toId"
        )


def require_two_people(arguments: Mapping[str, str]) -> None:
    """Refuse to relate a person to themselves.

    Raises:
        RefusedError: SELF_RELATIONSHIP.
    """
    if arguments["subjectId"] == arguments["objectId"]:
        raise RefusedError(
            RefusalCode.SELF_RELATIONSHIP,
            f"{arguments['subjectId']} cannot be related to oneself: name another objectId",
        )


def require_parameter_value(arguments: Mapping[str, str]) -> None:
    """Refuse a value that the parameter can never have.

    Raises:
        RefusedError: PARAMETER_UNKNOWN or PARAMETER_VALUE_INVALID.
    """
    parse_parameter(arguments["id"], arguments["value"])


def require_proposed_value(arguments: Mapping[str, str]) -> None:
    """Refuse to propose a value that the parameter can never have.

    Raises:
        RefusedError: PARAMETER_UNKNOWN or PARAMETER_VALUE_INVALID.
    """
    parse_parameter(arguments["targetParam"], arguments["newValue"])
