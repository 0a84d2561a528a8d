"""The system's own state: bootstrapped, paused, and the parameters that may be changed.

A command reads two shared records, whatever it does: the flags and all parameters in one.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TypeVar

from gx.chaincode.context import Context
from gx.contracts import keys
from gx.domain.codec import Record
from gx.domain.commands import CommandSpec
from gx.domain.economics import PARAMETERS, VERSION, with_defaults
from gx.domain.identifiers import EpochSeconds
from gx.domain.refusals import RefusalCode, RefusedError

R = TypeVar("R", bound=Record)


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemRecord(Record):
    """Exists from bootstrap on; `pause_reason` is set while the system is paused."""

    bootstrapped_at: EpochSeconds
    paused_at: EpochSeconds | None = None
    pause_reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ParametersRecord(Record):
    """Every system parameter. `version` is that of the table that bootstrap wrote."""

    version: int
    values: dict[str, int]


def find_status(context: Context) -> SystemRecord | None:
    """Return the system's flags; None before bootstrap."""
    return context.state.find(keys.SYSTEM, SystemRecord)


def require_open(context: Context, spec: CommandSpec) -> None:
    """Refuse a command that the system does not take at present.

    Raises:
        RefusedError: NOT_BOOTSTRAPPED before bootstrap, SYSTEM_PAUSED during a pause; each
            unless the command is allowed then.
    """
    status = find_status(context)
    if status is None:
        if not spec.is_allowed_before_bootstrap:
            raise _not_bootstrapped()
    elif status.pause_reason is not None and not spec.is_allowed_while_paused:
        raise RefusedError(RefusalCode.SYSTEM_PAUSED, f"paused: {status.pause_reason}")


def open_system(context: Context) -> Mapping[str, int]:
    """Mark the system bootstrapped and write every parameter's default.

    Raises:
        RefusedError: ALREADY_BOOTSTRAPPED.
    """
    status = find_status(context)
    if status is not None:
        raise RefusedError(
            RefusalCode.ALREADY_BOOTSTRAPPED, f"bootstrapped at {status.bootstrapped_at}"
        )
    values = {parameter.id: parameter.default for parameter in PARAMETERS.values()}
    context.state.put(keys.SYSTEM, SystemRecord(bootstrapped_at=context.timestamp_s))
    context.state.put(keys.PARAMETERS, ParametersRecord(version=VERSION, values=values))
    return values


def pause(context: Context, reason: str) -> None:
    """Refuse every write from here on but the one that resumes."""
    status = _require(find_status(context))
    paused = replace(status, paused_at=context.timestamp_s, pause_reason=reason)
    context.state.put(keys.SYSTEM, paused)


def resume(context: Context) -> None:
    """Take writes again; changes nothing if nobody paused."""
    status = _require(find_status(context))
    context.state.put(keys.SYSTEM, replace(status, paused_at=None, pause_reason=None))


def parameters(context: Context) -> Mapping[str, int]:
    """Return every parameter's value; its default for one that is younger than the ledger.

    Raises:
        RefusedError: NOT_BOOTSTRAPPED.
    """
    return with_defaults(_require(context.state.find(keys.PARAMETERS, ParametersRecord)).values)


def update_parameter(context: Context, parameter_id: str, value: int) -> int:
    """Set one parameter, already checked, and return its old value."""
    record = _require(context.state.find(keys.PARAMETERS, ParametersRecord))
    values = {**record.values, parameter_id: value}
    context.state.put(keys.PARAMETERS, ParametersRecord(version=record.version, values=values))
    return with_defaults(record.values)[parameter_id]


def _require(record: R | None) -> R:
    if record is None:
        raise _not_bootstrapped()
    return record


def _not_bootstrapped() -> RefusedError:
    return RefusedError(RefusalCode.NOT_BOOTSTRAPPED, "AdminContract:BootstrapSystem comes first")
