"""A Fabric channel as its clients use it: the `gx.ledger.ports.Ledger` over gateway peers."""

import asyncio
import secrets
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Final

import grpc
import grpc.aio
import structlog
from fabric_protos.gateway.gateway_pb2 import EndorseRequest, EvaluateRequest, SubmitRequest

from gx.domain.clock import Clock
from gx.domain.identifiers import BlockNumber, EpochMs, TransactionId
from gx.domain.roles import LedgerRole
from gx.ledger.errors import (
    CorruptBlockError,
    EndorseError,
    LedgerError,
    LedgerUnavailableError,
    SubmitError,
)
from gx.ledger.fabric.failures import Cause, Step
from gx.ledger.fabric.identities import Identities, IdentityError, Signer
from gx.ledger.fabric.peers import Deadlines, Peer, Peers
from gx.ledger.fabric.profile import ConnectionProfile
from gx.ledger.fabric.queries import ChainQueries
from gx.ledger.fabric.stream import BlockStream, Watch, seek
from gx.ledger.fabric.transactions import (
    NONCE_BYTES,
    BadTransactionError,
    Call,
    SignedCall,
    open_sealed,
    propose,
    result_of,
    seal,
)
from gx.ledger.ports import Block, ChainInfo, Envelope, Proposal, Verdict

_log: Final = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class FabricOptions:
    """How the client behaves.

    Endorsers at different heights answer differently for the moment that a block takes to reach
    them all: the proposal is then made anew, up to `endorsements_max` times, `mismatch_delay_s`
    later and each time twice as late.
    """

    deadlines: Deadlines = field(default_factory=Deadlines)
    watch: Watch = field(default_factory=Watch)
    calls_max: int = 128
    endorsements_max: int = 8
    mismatch_delay_s: float = 0.01


class FabricLedger:
    """Signs as the profile's identities and speaks to its peers, whichever of them answers.

    `on_reendorsed` hears why a proposal had to be made anew, `on_identity` of each certificate
    that is read, with its role and the time at which it ends.
    """

    def __init__(
        self,
        profile: ConnectionProfile,
        *,
        clock: Clock,
        options: FabricOptions | None = None,
        on_reendorsed: Callable[[str], None] = lambda _reason: None,
        on_identity: Callable[[LedgerRole, float], None] = lambda _role, _not_after_s: None,
    ) -> None:
        """Read the identities; nothing is connected yet.

        Raises:
            IdentityError: one of them cannot be used.
        """
        self._profile: Final = profile
        self._clock: Final = clock
        self._options: Final = options or FabricOptions()
        self._on_reendorsed: Final = on_reendorsed
        self._identities: Final = Identities(profile.identities, on_loaded=on_identity)
        self._peers: Final = Peers(profile.peers, calls_max=self._options.calls_max)
        self._queries: Final = ChainQueries(
            channel=profile.channel,
            chaincode=profile.chaincode,
            signer=self._identities.observer,
            clock=clock,
            timeout_s=self._options.deadlines.query_s,
        )
        self._genesis_hash = ""
        self._newest: tuple[int, EpochMs] = (0, EpochMs(0))

    async def prepare(self, proposal: Proposal) -> Envelope:
        """See `Ledger.prepare`."""
        tries = 0
        while True:
            tries += 1
            signer = self._signer(proposal.role)
            signed = self._propose(proposal, signer)
            try:
                payload = await self._endorse(signed)
            except EndorseError as error:
                if error.code != Cause.PAYLOADS_DIFFER or tries >= self._options.endorsements_max:
                    raise
                self._on_reendorsed(error.code)
                await asyncio.sleep(self._options.mismatch_delay_s * 2.0 ** (tries - 1))
                continue
            return _envelope(proposal.role, signed.transaction_id, payload, signer)

    async def submit(self, envelope: Envelope) -> None:
        """See `Ledger.submit`. On return an orderer has taken the transaction."""
        try:
            transaction_id, transaction = open_sealed(envelope.content)
        except BadTransactionError as error:
            raise SubmitError(str(error), code=Cause.BAD_TRANSACTION, is_transient=False) from error
        request = SubmitRequest(
            transaction_id=transaction_id,
            channel_id=self._profile.channel,
            prepared_transaction=transaction,
        )
        timeout_s = self._options.deadlines.submit_s
        await self._peers.call(Step.SUBMIT, lambda peer: peer.submit(request, timeout=timeout_s))

    async def verdict(self, transaction_id: TransactionId) -> Verdict | None:
        """See `Ledger.verdict`."""
        return await self._peers.call(
            Step.VERDICT, lambda peer: self._queries.verdict(peer, transaction_id)
        )

    async def evaluate(self, proposal: Proposal) -> str:
        """See `Ledger.evaluate`."""
        signed = self._propose(proposal, self._signer(proposal.role))
        request = EvaluateRequest(
            transaction_id=signed.transaction_id,
            channel_id=self._profile.channel,
            proposed_transaction=signed.proposal,
        )
        timeout_s = self._options.deadlines.evaluate_s
        answer = await self._peers.call(
            Step.EVALUATE, lambda peer: peer.evaluate(request, timeout=timeout_s)
        )
        return answer.result.payload.decode("utf-8", "replace")

    async def chain_info(self) -> ChainInfo:
        """See `Ledger.chain_info`."""
        return await self._peers.call(Step.CHAIN_INFO, self._describe)

    async def blocks(self, first: BlockNumber) -> AsyncGenerator[Block, None]:
        """See `Ledger.blocks`. A block is read from the socket when it is asked for.

        The first peer that lets itself be asked serves the stream to its end. Whoever takes the
        network away and puts another in its place breaks every stream: so at a stream's end what
        is known of the chain is forgotten, and the next `chain_info` finds it out anew.
        """
        try:
            async with aclosing(self._follow(first)) as following:
                async for block in following:
                    yield block
        finally:
            self._forget_chain()

    async def _follow(self, first: BlockNumber) -> AsyncGenerator[Block, None]:
        failure: LedgerError | None = None
        for peer in self._peers.in_order():
            is_served = False
            try:
                async with aclosing(self._stream(peer, first)) as stream:
                    async for block in stream:
                        is_served = True
                        self._note(block.number, block.timestamp_ms)
                        yield block
            except CorruptBlockError:
                raise
            except LedgerError as error:
                _log.info("fabric_stream_broke", peer=peer.name, error=error, code=error.code)
                self._peers.suspect(peer)
                failure = error
                if is_served:
                    break
        assert failure is not None  # noqa: S101 (a stream ends only with an error)
        raise failure

    async def block_hashes(self, number: BlockNumber) -> Mapping[str, str]:
        """Ask every peer for the hash of a block; those that do not have it are left out.

        Raises:
            CorruptBlockError: a peer's block is damaged.
        """
        hashes: dict[str, str] = {}
        for peer in self._peers.in_order():
            try:
                hashes[peer.name] = (await self._queries.block(peer, number)).hash
            except CorruptBlockError:
                raise
            except (LedgerError, grpc.aio.AioRpcError) as error:
                _log.info("peer_not_compared", peer=peer.name, block=number, error=error)
        return hashes

    async def close(self) -> None:
        """See `Ledger.close`."""
        await self._peers.close()

    # ------------------------------------------------------------ the steps

    def _signer(self, role: LedgerRole) -> Signer:
        try:
            return self._identities.of(role)
        except IdentityError as error:
            raise LedgerUnavailableError(
                str(error), code="NO_IDENTITY", is_transient=False
            ) from error

    def _propose(self, proposal: Proposal, signer: Signer) -> SignedCall:
        """Sign a call. Its time is now, but never before the newest block that was seen."""
        call = Call(
            channel=self._profile.channel,
            chaincode=self._profile.chaincode,
            function=proposal.function,
            arguments=proposal.arguments,
        )
        now_ms = max(self._clock.now_ms(), self._newest[1])
        return propose(call, signer, timestamp_ms=EpochMs(now_ms))

    async def _endorse(self, signed: SignedCall) -> bytes:
        """Return the endorsed transaction, to be signed."""
        request = EndorseRequest(
            transaction_id=signed.transaction_id,
            channel_id=self._profile.channel,
            proposed_transaction=signed.proposal,
        )
        timeout_s = self._options.deadlines.endorse_s
        answer = await self._peers.call(
            Step.ENDORSE, lambda peer: peer.endorse(request, timeout=timeout_s)
        )
        return answer.prepared_transaction.payload

    async def _describe(self, peer: Peer) -> ChainInfo:
        self._identities.refresh()
        height = await self._queries.height(peer)
        if height < self._newest[0] - 1:  # by more than a peer that was a block behind
            self._forget_chain()
        if not self._genesis_hash and height:
            self._genesis_hash = (await self._queries.block(peer, BlockNumber(0))).hash
        if height > self._newest[0]:
            newest_ms = await self._queries.block_timestamp_ms(peer, BlockNumber(height - 1))
            self._note(BlockNumber(height - 1), newest_ms)
        return ChainInfo(
            height=height, genesis_hash=self._genesis_hash, newest_timestamp_ms=self._newest[1]
        )

    def _forget_chain(self) -> None:
        self._genesis_hash, self._newest = "", (0, self._newest[1])

    def _note(self, number: BlockNumber, timestamp_ms: EpochMs) -> None:
        """Remember the newest block's time, so that no question for it is needed."""
        if number >= self._newest[0]:
            self._newest = (number + 1, max(timestamp_ms, self._newest[1]))

    async def _height(self) -> int:
        """Ask every peer at once: the highest answer shows what a stream should bring."""
        heights = await asyncio.gather(
            *(self._queries.height(peer) for peer in self._peers.in_order()),
            return_exceptions=True,
        )
        known = [height for height in heights if isinstance(height, int)]
        if not known:
            raise LedgerUnavailableError("no peer tells the chain's height", code="SILENT")
        return max(known)

    def _stream(self, peer: Peer, first: BlockNumber) -> AsyncGenerator[Block, None]:
        request = seek(
            self._profile.channel,
            first,
            self._identities.observer(),
            nonce=secrets.token_bytes(NONCE_BYTES),
            now_ms=EpochMs(self._clock.now_ms()),
        )
        stream = BlockStream(
            peer,
            first,
            chaincode=self._profile.chaincode,
            height=self._height,
            watch=self._options.watch,
        )
        return stream.blocks(request)


def _envelope(
    role: LedgerRole, transaction_id: TransactionId, payload: bytes, signer: Signer
) -> Envelope:
    try:
        result = result_of(payload)
    except BadTransactionError as error:
        raise EndorseError(str(error), code=Cause.UNFORESEEN) from error
    return Envelope(
        transaction_id=transaction_id,
        role=role,
        content=seal(payload, signer),
        result=result,
    )
