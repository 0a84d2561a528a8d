"""Submitting to the right ledger: the one whose blocks the read models were made of.

A ledger that was replaced would take every command again on an empty chain, and its answers would
be settled for good. So whenever the stream of blocks is opened, the chain's identity is compared
with what the projector noted, and nothing is sent while they differ. A ledger that was restored
from an older copy is refused too: what it has lost is settled here, and would be contradicted block
by block.
"""

from typing import Final

import structlog

from gx.ledger.errors import LedgerError
from gx.ledger.ports import ChainInfo
from gx.outbox.ports import KnownChain, OutboxStore
from gx.telemetry.health import ReadinessCheck

_log: Final = structlog.get_logger(__name__)


class WrongLedgerError(LedgerError):
    """The ledger is another one than the read models are of; nothing is submitted to it."""

    def __init__(self, *, found: str, known: str) -> None:
        super().__init__(
            f"the ledger's first block is {found[:16] or 'not there'}, the read models are of the "
            f"chain {known[:16]}: put the right ledger back, or rebuild the read models from this "
            "one on purpose (`gx projection rebuild --accept-new-chain`)",
            code="WRONG_CHAIN",
            is_transient=False,
        )


class ShortLedgerError(LedgerError):
    """The ledger ends before blocks that were projected or settled; nothing is submitted to it."""

    def __init__(self, *, height: int, known: int) -> None:
        super().__init__(
            f"block {known} was seen, but the ledger ends at block {height - 1}: it was restored "
            "from an older copy, or a peer lags behind. Bring back the ledger that has the block; "
            "to give up on purpose what it had, run `gx projection rebuild --accept-new-chain`, "
            "and `gx reconcile` names the commands whose effect is gone",
            code="SHORT_CHAIN",
            is_transient=False,
        )


class ChainGuard:
    """Compares the ledger with what is known; `check` says on `/readyz` what was found."""

    def __init__(
        self, store: OutboxStore, *, channel: str, check: ReadinessCheck | None = None
    ) -> None:
        self._store = store
        self._channel = channel
        self._check = check
        if check is not None:
            check.passed()

    async def require(self, chain: ChainInfo) -> None:
        """Return if the chain is the known one, or none is known yet.

        Raises:
            WrongLedgerError: it is another one.
            ShortLedgerError: it is the known one's beginning.
            DatabaseUnavailableError: what is known cannot be read now.
        """
        error = _fault(chain, await self._store.known_chain(self._channel))
        if error is not None:
            _log.error("wrong_chain_refused", error=error)
            if self._check is not None:
                self._check.failed(str(error))
            raise error
        if self._check is not None:
            self._check.passed()


def _fault(
    chain: ChainInfo, known: KnownChain | None
) -> WrongLedgerError | ShortLedgerError | None:
    if known is None:
        return None
    if chain.genesis_hash != known.genesis_hash:
        return WrongLedgerError(found=chain.genesis_hash, known=known.genesis_hash)
    if chain.height <= known.block_number:
        return ShortLedgerError(height=chain.height, known=known.block_number)
    return None
