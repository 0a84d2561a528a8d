"""Questions to a peer about the chain itself, answered by its own system chaincode.

They go to the peer's endorser and not through its gateway: so the answer is this very peer's, and
a slot of the gateway stays free. Nothing waits: a transaction that no block holds is unknown at
once, where the gateway's own question for it would wait for ever.
"""

from collections.abc import Callable
from typing import Final

import grpc
from fabric_protos.common.common_pb2 import Block as FabricBlock
from fabric_protos.common.ledger_pb2 import BlockchainInfo

from gx.domain.clock import Clock
from gx.domain.identifiers import BlockNumber, EpochMs, TransactionId
from gx.ledger.errors import LedgerError, VerdictError
from gx.ledger.fabric.blocks import newest_timestamp_ms, read_block
from gx.ledger.fabric.failures import Step, classify
from gx.ledger.fabric.identities import Signer
from gx.ledger.fabric.peers import Peer
from gx.ledger.fabric.transactions import Call, propose
from gx.ledger.ports import Block, Verdict

_QSCC: Final = "qscc"
_OK: Final = 200
_UNKNOWN: Final = ("no such transaction ID", "Entry not found in index")
"""How peers of release 3, and older ones, say that no block holds a transaction."""


class ChainQueries:
    """Asks one peer after another, as whoever is told to."""

    def __init__(
        self,
        *,
        channel: str,
        chaincode: str,
        signer: Callable[[], Signer],
        clock: Clock,
        timeout_s: float,
    ) -> None:
        self._channel: Final = channel
        self._chaincode: Final = chaincode
        self._signer: Final = signer
        self._clock: Final = clock
        self._timeout_s: Final = timeout_s

    async def height(self, peer: Peer) -> int:
        """Return how many blocks the peer has.

        Raises:
            LedgerError: it refuses to tell.
            AioRpcError: it does not answer.
        """
        answer = await self._ask(peer, Step.CHAIN_INFO, "GetChainInfo")
        return BlockchainInfo.FromString(answer).height

    async def block(self, peer: Peer, number: BlockNumber) -> Block:
        """Return one of the blocks that the peer has.

        Raises:
            LedgerError: it has none of that number, refuses to tell, or the block is damaged.
            AioRpcError: it does not answer.
        """
        block = await self._block(peer, number)
        return read_block(block, chaincode=self._chaincode)

    async def block_timestamp_ms(self, peer: Peer, number: BlockNumber) -> EpochMs:
        """Return the time of a block's newest transaction, and look at nothing else in it.

        Raises:
            LedgerError: the peer has no block of that number, or refuses to tell.
            AioRpcError: it does not answer.
        """
        return newest_timestamp_ms(await self._block(peer, number))

    async def _block(self, peer: Peer, number: BlockNumber) -> FabricBlock:
        answer = await self._ask(peer, Step.CHAIN_INFO, "GetBlockByNumber", str(number))
        return FabricBlock.FromString(answer)

    async def verdict(self, peer: Peer, transaction_id: TransactionId) -> Verdict | None:
        """Return a transaction's first verdict; None where the peer knows of none.

        Raises:
            LedgerError: it refuses to tell, or the block is damaged.
            AioRpcError: it does not answer.
        """
        try:
            answer = await self._ask(peer, Step.VERDICT, "GetBlockByTxID", transaction_id)
        except VerdictError as error:
            if any(words in str(error) for words in _UNKNOWN):
                return None
            raise
        block = read_block(FabricBlock.FromString(answer), chaincode=self._chaincode)
        return verdict_in(block, transaction_id)

    async def _ask(self, peer: Peer, step: Step, function: str, *arguments: str) -> bytes:
        call = Call(
            channel=self._channel,
            chaincode=_QSCC,
            function=function,
            arguments=(self._channel, *arguments),
        )
        signed = propose(call, self._signer(), timestamp_ms=EpochMs(self._clock.now_ms()))
        answer = await peer.process_proposal(signed.proposal, timeout=self._timeout_s)
        if answer.response.status != _OK:
            raise _refused(step, answer.response.message)
        return answer.response.payload


def verdict_in(block: Block, transaction_id: TransactionId) -> Verdict | None:
    """Find the first verdict on a transaction: later copies of it change nothing."""
    for transaction in block.transactions:
        if transaction.transaction_id == transaction_id:
            return Verdict(
                transaction_id=transaction_id,
                validation_code=transaction.validation_code,
                block_number=block.number,
                event=transaction.event,
            )
    return None


def _refused(step: Step, message: str) -> LedgerError:
    return classify(step, grpc.StatusCode.UNKNOWN, message).as_error()
