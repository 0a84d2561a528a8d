"""Exit codes, and how a failure is told: one paragraph saying what, where, and what to do."""

import re
import sys
import traceback
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

import typer

from gx.client.errors import (
    AddressError,
    ApiUnreachableError,
    CommandFailedError,
    ProblemError,
    WaitTimeoutError,
)
from gx.database.ports import DatabaseUnavailableError
from gx.domain.amounts import render_coins
from gx.domain.errors import GxError
from gx.domain.refusals import RefusalCode
from gx.ledger.errors import LedgerUnavailableError
from gx.runtime.settings import CliSettings, SettingsError, load


class ExitCode(IntEnum):
    """What a script learns. `gx --help` explains them."""

    OK = 0
    FAILED = 1
    USAGE = 2
    UNREACHABLE = 3


class UsageFailedError(GxError):
    """What was typed cannot be meant; the text says what can."""


class CheckFailedError(GxError):
    """The command did its work and found something wrong; the text sums it up."""


class NotRunningError(GxError):
    """What the command needs does not run."""


@dataclass(frozen=True, slots=True)
class Failure:
    """How a command ends that did not succeed."""

    code: ExitCode
    text: str


_BASE_UNITS: Final = re.compile(r"\b([0-9]{1,20})(?: base units|(?= are needed))")
_TOKEN_HINT: Final = "Name a valid token with --token or GX_TOKEN; `gx token` makes one."  # noqa: S105 (words about tokens)


def describe(error: Exception) -> Failure:
    """Choose the exit code and the words for a failure."""
    match error:
        case ApiUnreachableError():
            text = f"{error}. Is it up? `gx status` tells, `gx up` starts a local one."
            return Failure(ExitCode.UNREACHABLE, text)
        case ProblemError(code=RefusalCode.TOKEN_INVALID):
            return Failure(ExitCode.FAILED, f"{error}. {_TOKEN_HINT}")
        case CommandFailedError():
            text = f"{error}. Everything about it: `gx command show {error.command_id}`."
            return Failure(ExitCode.FAILED, text)
        case WaitTimeoutError():
            text = f"{error}. It goes on by itself: `gx command watch {error.command_id}`."
            return Failure(ExitCode.FAILED, text)
        case _:
            return Failure(_code_of(error), _text_of(error))


def _code_of(error: Exception) -> ExitCode:
    match error:
        case UsageFailedError() | AddressError() | SettingsError():
            return ExitCode.USAGE
        case NotRunningError() | LedgerUnavailableError() | ConnectionError():
            return ExitCode.UNREACHABLE
        case DatabaseUnavailableError():
            return ExitCode.UNREACHABLE
        case _:
            return ExitCode.FAILED


def _text_of(error: Exception) -> str:
    if isinstance(error, GxError):
        return str(error)
    if isinstance(error, ConnectionError):
        return f"no connection: {error}. `gx status` tells what runs."
    return (
        f"gx failed in a way that nobody foresaw: {type(error).__name__}: {error}. "
        "Set GX_DEBUG=1 to see where."
    )


def report(error: Exception) -> ExitCode | None:
    """Tell a failure on stderr and return the exit code; None for what typer tells by itself."""
    if isinstance(error, typer.TyperException | typer.Exit | typer.Abort | BrokenPipeError):
        return None
    failure = describe(error)
    text = with_coins(failure.text)
    if _is_debugging():
        traceback.print_exception(error, file=sys.stderr)
    print(f"Error: {text}", file=sys.stderr)
    return failure.code


def with_coins(text: str) -> str:
    """Write behind each count of base units in a refusal what it is in coins."""
    if "base units" not in text:
        return text
    return _BASE_UNITS.sub(lambda found: f"{found[0]} ({render_coins(int(found[1]))} coin)", text)


def _is_debugging() -> bool:
    try:
        return load(CliSettings).debug
    except SettingsError:
        return False
