"""The ledger as a peer shows it to one transaction, message by message."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final, Protocol, TypeVar

from gx.chaincode.server import messages
from gx.chaincode.server.messages import Offers, Request
from gx.chaincode.stub import Caller, Modification
from gx.domain.identifiers import EpochSeconds, TransactionId

_T = TypeVar("_T")

# A key sorts directly before the one with this at its end.
_LEAST: Final = "\x00"


class PeerLink(Protocol):
    """Asks the peer on behalf of one transaction, one request at a time."""

    @property
    def offers(self) -> Offers:
        """What the peer does in one message."""
        ...

    @property
    def message_bytes_max(self) -> int:
        """How large a message may be, all included."""
        ...

    def ask(self, request: Request) -> bytes:
        """Return the peer's answer; blocks.

        Raises:
            PeerRefusedError: the peer answered with an error.
            PeerLostError: the connection ended.
            SimulationTimeoutError: the transaction's time is over.
            MessageTooLargeError: the request is; nothing was sent.
        """
        ...

    def ask_all(self, requests: Sequence[Request]) -> Sequence[bytes]:
        """Ask one after the other, up to the first error; return the answers in order.

        Raises as `ask` does.
        """
        ...


class PeerStub:
    """Implements `gx.chaincode.stub.Stub` on a peer."""

    def __init__(
        self,
        link: PeerLink,
        *,
        transaction_id: TransactionId,
        timestamp_s: EpochSeconds,
        caller: Caller,
    ) -> None:
        self._link: Final = link
        self._transaction_id: Final = transaction_id
        self._timestamp_s: Final = timestamp_s
        self._caller: Final = caller
        self.event: tuple[str, str] | None = None

    @property
    def transaction_id(self) -> TransactionId:
        """See `Stub`."""
        return self._transaction_id

    @property
    def timestamp_s(self) -> EpochSeconds:
        """See `Stub`."""
        return self._timestamp_s

    @property
    def caller(self) -> Caller:
        """See `Stub`."""
        return self._caller

    def get_state(self, key: str) -> str | None:
        """See `Stub`."""
        return messages.read_value(self._link.ask(messages.get_state(key)))

    def get_states(self, keys: Sequence[str]) -> Sequence[str | None]:
        """See `Stub`. A peer that offers no such message is asked key by key."""
        count = self._link.offers.reads_max
        if not count:
            answers = self._link.ask_all([messages.get_state(key) for key in keys])
            return [messages.read_value(answer) for answer in answers]
        values: list[str | None] = []
        for start in range(0, len(keys), count):
            some = keys[start : start + count]
            answer = self._link.ask(messages.get_states(some))
            values.extend(messages.read_values(answer, count=len(some)))
        return values

    def get_range(self, start: str, end: str) -> Iterator[tuple[str, str]]:
        """See `Stub`.

        A peer ends a range in silence after a number of keys (`ledger.state.totalQueryLimit`),
        so the range counts as read only when nothing follows its last key.
        """
        is_complete = False
        while not is_complete:
            is_complete = True
            for key, value in self._items(messages.get_range(start, end), messages.read_entry):
                is_complete = False
                start = key + _LEAST
                yield key, value

    def get_history(self, key: str) -> Iterator[Modification]:
        """See `Stub`."""
        yield from self._items(messages.get_history(key), messages.read_modification)

    def put_states(self, writes: Mapping[str, str | None]) -> None:
        """See `Stub`."""
        # A peer may take less than this server sends; half of its own bound is far above a batch.
        bytes_max = self._link.message_bytes_max // 2
        requests = messages.writes(writes, offers=self._link.offers, bytes_max=bytes_max)
        self._link.ask_all(list(requests))

    def set_event(self, name: str, payload: str) -> None:
        """See `Stub`."""
        self.event = (name, payload)

    def _items(self, request: Request, read: Callable[[bytes], _T]) -> Iterator[_T]:
        """Yield what the pages of a query hold. The peer closes the query with the transaction."""
        page = messages.read_page(self._link.ask(request))
        while True:
            for item in page.items:
                yield read(item)
            if page.next_id is None:
                return
            page = messages.read_page(self._link.ask(messages.next_page(page.next_id)))
