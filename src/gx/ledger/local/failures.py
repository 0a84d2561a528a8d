"""From an exception in the server to what its client may know of it.

A contract's defect is logged here, whole; the client learns only that there was one.
"""

import sqlite3
from typing import Final

import structlog

from gx.chaincode.executor import Refused
from gx.ledger.local.chain import TornBlockError
from gx.ledger.local.committer import StoreFailedError
from gx.ledger.local.content import BadEnvelopeError
from gx.ledger.local.simulation import SimulationTimeoutError
from gx.ledger.local.statements import CorruptStateError
from gx.ledger.local.wire import Failure, WireError

_log: Final = structlog.get_logger(__name__)

SHUTTING_DOWN: Final = "SHUTTING_DOWN"
PROTOCOL_MISMATCH: Final = "PROTOCOL_MISMATCH"
CORRUPT_BLOCK: Final = "CORRUPT_BLOCK"
CONTRACT_CRASHED: Final = "CONTRACT_CRASHED"
TOO_LARGE: Final = "TOO_LARGE"


def refused(refusal: Refused) -> Failure:
    """Carry a contract's no."""
    return Failure(
        code=refusal.code.value,
        message=refusal.detail,
        is_transient=False,
        refusal=(refusal.code, refusal.detail),
    )


def shutting_down() -> Failure:
    """Turn a request away because the server ends."""
    return Failure(SHUTTING_DOWN, "the ledger is shutting down", is_transient=True)


def describe(error: Exception, *, operation: str) -> Failure:
    """Say what went wrong, as far as it is the client's business."""
    match error:
        case CorruptStateError() | TornBlockError():
            return _describe_damage(error)
        case StoreFailedError() | sqlite3.Error():
            message = f"the ledger's file could not be used, nothing was recorded: {error}"
            return Failure("STORE_FAILED", message, is_transient=True)
        case SimulationTimeoutError():
            return Failure("SIMULATION_TIMEOUT", str(error), is_transient=True)
        case BadEnvelopeError():
            return Failure("BAD_SIGNATURE", str(error), is_transient=False)
        case WireError():
            return Failure(TOO_LARGE, str(error), is_transient=False)
        case _:
            _log.error("ledger_request_crashed", operation=operation, exc_info=error)
            message = f"{operation} failed inside the ledger; its log tells why"
            return Failure(CONTRACT_CRASHED, message, is_transient=False)


def _describe_damage(error: CorruptStateError | TornBlockError) -> Failure:
    if isinstance(error, CorruptStateError):
        _log.error("ledger_state_found_corrupt", key=error.key)
        return Failure("CORRUPT_STATE", str(error), is_transient=False)
    _log.error("ledger_block_found_corrupt", block=error.number, reason=error.reason)
    return Failure(CORRUPT_BLOCK, error.reason, is_transient=False, block_number=error.number)
