"""A ledger in a dict that keeps Fabric's awkward rules, for tests of contracts.

A transaction reads the state as it stood when it began, never its own writes; it carries one
event, the last one set; and it commits only if nothing that it read has changed since.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from gx.chaincode.stub import Caller, Modification
from gx.domain.identifiers import EpochSeconds, TransactionId
from gx.domain.roles import LedgerRole

START_S = EpochSeconds(1_700_000_000)


@dataclass
class Version:
    """A committed value and the number of the transaction that wrote it."""

    value: str
    written_by: int


@dataclass
class DictLedger:
    """Committed keys with versions, their history, and every event, oldest first."""

    state: dict[str, Version] = field(default_factory=dict)
    history: dict[str, list[Modification]] = field(default_factory=dict)
    events: list[tuple[str, str]] = field(default_factory=list)
    transactions: int = 0
    now_s: EpochSeconds = START_S

    def begin(
        self, role: LedgerRole | None = LedgerRole.SUPER_ADMIN, identity: str = "tester"
    ) -> "DictStub":
        """Start simulating a transaction on the state as it stands."""
        self.transactions += 1
        return DictStub(
            ledger=self,
            snapshot=dict(self.state),
            transaction_id=TransactionId(f"{self.transactions:064x}"),
            timestamp_s=self.now_s,
            caller=Caller(role=role, identity=identity),
        )

    def values(self) -> dict[str, str]:
        """Return the committed world state."""
        return {key: version.value for key, version in self.state.items()}


@dataclass
class DictStub:
    """One transaction's simulation. `reads` maps each key to the version that was seen."""

    ledger: DictLedger
    snapshot: dict[str, Version]
    transaction_id: TransactionId
    timestamp_s: EpochSeconds
    caller: Caller
    reads: dict[str, int | None] = field(default_factory=dict)
    ranges: list[tuple[str, str, tuple[str, ...]]] = field(default_factory=list)
    writes: dict[str, str | None] = field(default_factory=dict)
    event: tuple[str, str] | None = None
    messages: int = 0

    def get_state(self, key: str) -> str | None:
        """Return the value as it stood at the beginning and note the read."""
        self.messages += 1
        return self._read(key)

    def get_states(self, keys: Sequence[str]) -> Sequence[str | None]:
        """Return many values for one message."""
        self.messages += 1
        return [self._read(key) for key in keys]

    def _read(self, key: str) -> str | None:
        assert key, "Fabric refuses an empty key"
        version = self.snapshot.get(key)
        self.reads[key] = None if version is None else version.written_by
        return None if version is None else version.value

    def get_range(self, start: str, end: str) -> Iterator[tuple[str, str]]:
        """Yield the keys of the range as it stood at the beginning and note them all."""
        self.messages += 1
        found = tuple(key for key in sorted(self.snapshot) if start <= key < end)
        self.ranges.append((start, end, found))
        for key in found:
            self.reads[key] = self.snapshot[key].written_by
            yield key, self.snapshot[key].value

    def get_history(self, key: str) -> Iterator[Modification]:
        """Yield what committed transactions did to the key, newest first."""
        yield from reversed(self.ledger.history.get(key, []))

    def put_states(self, writes: Mapping[str, str | None]) -> None:
        """Note the writes; no read will see them."""
        assert not self.writes, "all writes come in one message"
        assert all(key and value != "" for key, value in writes.items())
        self.messages += 1
        self.writes = dict(writes)

    def set_event(self, name: str, payload: str) -> None:
        """Set the one event; the last one set is the one that is kept."""
        self.event = (name, payload)

    def commit(self) -> bool:
        """Validate and apply the transaction; False if something it read has changed."""
        current = self.ledger.state
        for key, seen in self.reads.items():
            version = current.get(key)
            if (None if version is None else version.written_by) != seen:
                return False
        for start, end, found in self.ranges:
            if tuple(key for key in sorted(current) if start <= key < end) != found:
                return False
        self._apply()
        return True

    def _apply(self) -> None:
        number = int(self.transaction_id, 16)
        for key, value in self.writes.items():
            if value is None:
                self.ledger.state.pop(key, None)
            else:
                self.ledger.state[key] = Version(value, number)
            self.ledger.history.setdefault(key, []).append(
                Modification(
                    transaction_id=self.transaction_id, timestamp_s=self.timestamp_s, value=value
                )
            )
        if self.event is not None:
            self.ledger.events.append(self.event)
