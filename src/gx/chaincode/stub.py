"""What a peer gives to a transaction that it simulates. Two hosts implement it, one law holds.

The law is Hyperledger Fabric's, awkward parts included: a transaction does not see its own
writes, carries one event (the last one set), and everything that it read is compared again when
it commits. `gx.chaincode.state` hides the first; `gx.chaincode.batch` lives with the second.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from gx.domain.identifiers import EpochSeconds, TransactionId
from gx.domain.roles import LedgerRole


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Whose certificate signed the proposal. `role` is None if the certificate names none."""

    role: LedgerRole | None
    identity: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Modification:
    """What one valid transaction made of a key; `value` is None where it deleted the key."""

    transaction_id: TransactionId
    timestamp_s: EpochSeconds
    value: str | None


class Stub(Protocol):
    """One transaction's view of the ledger, as it stood when the simulation began.

    Keys and values are non-empty text. Any method may raise when the host fails; then the
    transaction fails as a whole.
    """

    @property
    def transaction_id(self) -> TransactionId:
        """The transaction's id: unique on the ledger for ever."""
        ...

    @property
    def timestamp_s(self) -> EpochSeconds:
        """The transaction's time, from its header: every endorser sees the same."""
        ...

    @property
    def caller(self) -> Caller:
        """The identity that signed the proposal."""
        ...

    def get_state(self, key: str) -> str | None:
        """Return the committed value, None without one. Own writes are not seen."""
        ...

    def get_states(self, keys: Sequence[str]) -> Sequence[str | None]:
        """Return the committed values in the order of `keys`: one message instead of many."""
        ...

    def get_range(self, start: str, end: str) -> Iterator[tuple[str, str]]:
        """Yield committed keys from `start` up to, not including, `end`, in byte order."""
        ...

    def get_history(self, key: str) -> Iterator[Modification]:
        """Yield what valid transactions did to the key, newest first. Not compared at commit."""
        ...

    def put_states(self, writes: Mapping[str, str | None]) -> None:
        """Add all the transaction's writes to its write set; None deletes the key.

        Called at most once, after the last read.
        """
        ...

    def set_event(self, name: str, payload: str) -> None:
        """Set the transaction's one event; a second call replaces the first."""
        ...
