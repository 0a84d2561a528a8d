"""A transaction that several peers of this server endorse is executed once and then repeated.

Each endorser sends the same proposal and has a state of its own, so each is asked everything and
is told every write. But contracts are deterministic: where all of a peer's answers are byte for
byte those of the peer before, executing again would give byte for byte the same, and half of this
server's time would go into that. One different answer, and the transaction is executed anew.

Only what a further endorser will send again is kept: transactions that write and set an event.
Those that query a range are not, for a peer's pages carry random ids.
"""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import groupby
from threading import Lock
from typing import Final, Protocol

from fabric_protos.peer.chaincode_shim_pb2 import ChaincodeMessage

from gx.chaincode.server.messages import Offers, Request
from gx.chaincode.server.stub import PeerLink
from gx.domain.errors import GxError

_READING: Final = frozenset({ChaincodeMessage.GET_STATE, ChaincodeMessage.GET_STATE_MULTIPLE})
_WRITING: Final = frozenset(
    {ChaincodeMessage.PUT_STATE, ChaincodeMessage.DEL_STATE, ChaincodeMessage.WRITE_BATCH_STATE}
)
_REPEATABLE: Final = _READING | _WRITING


class Answering(Protocol):
    """Executes transactions; see `gx.chaincode.server.execution.Execution`."""

    def answer(self, message: ChaincodeMessage, link: PeerLink) -> ChaincodeMessage:
        """Execute a transaction and say how it ended."""
        ...


@dataclass(frozen=True, slots=True)
class _Exchange:
    request: Request
    answer: bytes


@dataclass(frozen=True, slots=True)
class _Performance:
    exchanges: tuple[_Exchange, ...]
    answer: ChaincodeMessage


class _Recording:
    """A link that remembers what went over it."""

    def __init__(self, link: PeerLink) -> None:
        self.offers: Final = link.offers
        self.message_bytes_max: Final = link.message_bytes_max
        self.exchanges: Final[list[_Exchange]] = []
        self._link: Final = link

    def ask(self, request: Request) -> bytes:
        """See `PeerLink`."""
        return self.ask_all((request,))[0]

    def ask_all(self, requests: Sequence[Request]) -> Sequence[bytes]:
        """See `PeerLink`."""
        answers = self._link.ask_all(requests)
        self.exchanges.extend(map(_Exchange, requests, answers))
        return answers


class Repeater:
    """Answers TRANSACTION messages, the same one for a further peer without executing it again.

    Keeps the last `kept_max` transactions, some megabytes for each large batch. Threads share it.
    """

    def __init__(self, execution: Answering, *, kept_max: int) -> None:
        self._execution: Final = execution
        self._kept_max: Final = kept_max
        self._kept: Final[OrderedDict[bytes, _Performance]] = OrderedDict()
        self._lock: Final = Lock()

    def answer(self, message: ChaincodeMessage, link: PeerLink) -> ChaincodeMessage:
        """See `Execution.answer`."""
        name = _name_of(message, link.offers)
        with self._lock:
            before = self._kept.get(name)
        if before is not None and _repeats(before, link):
            return before.answer
        recording = _Recording(link)
        answer = self._execution.answer(message, recording)
        if _is_worth_keeping(recording, answer):
            self._keep(name, _Performance(tuple(recording.exchanges), answer))
        return answer

    def _keep(self, name: bytes, performance: _Performance) -> None:
        with self._lock:
            self._kept[name] = performance
            while len(self._kept) > self._kept_max:
                self._kept.popitem(last=False)


def _repeats(performance: _Performance, link: PeerLink) -> bool:
    """Ask a peer what was asked before; False where an answer differs.

    Nothing is written before all that was read until then was the same. A peer that refuses or
    leaves is met again by the execution that follows.
    """
    try:
        for _, run in groupby(performance.exchanges, key=_reads):
            exchanges = list(run)
            answers = link.ask_all([each.request for each in exchanges])
            if list(answers) != [each.answer for each in exchanges]:
                return False
    except GxError:
        return False
    return True


def _reads(exchange: _Exchange) -> bool:
    return exchange.request.kind in _READING


def _is_worth_keeping(recording: _Recording, answer: ChaincodeMessage) -> bool:
    return answer.HasField("chaincode_event") and all(
        exchange.request.kind in _REPEATABLE for exchange in recording.exchanges
    )


def _name_of(message: ChaincodeMessage, offers: Offers) -> bytes:
    """Hash all that decides what a transaction asks, writes and answers, but its peer's state."""
    digest = sha256()
    identity = (message.channel_id.encode(), message.txid.encode(), repr(offers).encode())
    for part in (*identity, message.payload, message.proposal.proposal_bytes):
        digest.update(len(part).to_bytes(8, "big"))
        digest.update(part)
    return digest.digest()
