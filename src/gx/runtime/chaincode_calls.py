"""Calls a contract function directly, past API and outbox, on whichever ledger is in use."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Final

from gx.domain.catalogue import COMMANDS
from gx.domain.errors import GxError
from gx.domain.identifiers import TransactionId
from gx.domain.roles import LedgerRole
from gx.ledger.errors import SubmitError
from gx.ledger.ports import Ledger, Proposal, Verdict
from gx.runtime.fabric_launch import running_network
from gx.runtime.inspection import open_client
from gx.runtime.ledgers import open_fabric
from gx.runtime.settings import CommonSettings, load
from gx.runtime.stack import stack_folder

VERDICT_TIMEOUT_S: Final = 30.0
VERDICT_POLL_S: Final = 0.05
_POWERFUL: Final = (LedgerRole.SUPER_ADMIN, LedgerRole.ADMIN, LedgerRole.PARTNER_API)


class NoVerdictError(GxError):
    """A transaction was handed over, and no block holds it yet; it may still take effect."""

    def __init__(self, transaction_id: TransactionId) -> None:
        super().__init__(
            f"transaction {transaction_id} is in no block after {VERDICT_TIMEOUT_S:.0f} s. It may "
            "still take effect: look for it before you call again"
        )
        self.transaction_id = transaction_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Invocation:
    """What became of a call that was recorded: the function's result, and the verdict on it."""

    result: str
    verdict: Verdict


def role_for(function: str) -> LedgerRole:
    """Choose who calls: for a command the mightiest role that may, else the partner's."""
    admitted = {spec.function: spec.roles for spec in COMMANDS.values()}.get(function, frozenset())
    return next((role for role in _POWERFUL if role in admitted), LedgerRole.PARTNER_API)


async def invoke(proposal: Proposal) -> Invocation:
    """Call a function and record what it does.

    Raises:
        EndorseError: the contract refused, or no peer endorsed; nothing was recorded.
        NoVerdictError: the transaction is in no block yet.
        LedgerError: the ledger cannot be reached.
    """
    async with _open_ledger() as ledger:
        envelope = await ledger.prepare(proposal)
        with contextlib.suppress(SubmitError):  # it may have arrived: the verdict tells
            await ledger.submit(envelope)
        verdict = await _verdict(ledger, envelope.transaction_id)
        return Invocation(result=envelope.result, verdict=verdict)


async def query(proposal: Proposal) -> str:
    """Call a function on the current state; nothing is recorded.

    Raises:
        EvaluateError: the contract refused, or no peer answered.
        LedgerError: the ledger cannot be reached.
    """
    async with _open_ledger() as ledger:
        return await ledger.evaluate(proposal)


async def _verdict(ledger: Ledger, transaction_id: TransactionId) -> Verdict:
    deadline = time.monotonic() + VERDICT_TIMEOUT_S
    while time.monotonic() < deadline:
        verdict = await ledger.verdict(transaction_id)
        if verdict is not None:
            return verdict
        await asyncio.sleep(VERDICT_POLL_S)
    raise NoVerdictError(transaction_id)


@contextlib.asynccontextmanager
async def _open_ledger() -> AsyncIterator[Ledger]:
    """Open the ledger in use: the settings', the running stack's, or a network by itself."""
    ledger = _client()
    try:
        yield ledger
    finally:
        await ledger.close()


def _client() -> Ledger:
    common = load(CommonSettings)
    is_named = "ledger" in common.model_fields_set or stack_folder().is_running()
    running = None if is_named else running_network()
    if running is None:
        return open_client()
    return open_fabric(common, running.network.connection_profile)
