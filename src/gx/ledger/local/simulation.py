"""Runs a contract function on a snapshot and records what it read and wrote.

The stub keeps Fabric's awkward rules, so that a contract that passes here passes there: own
writes are not seen, there is one event and the last one set wins, writes travel together, and
everything read is compared again at commit (history excepted).
"""

import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final, TypeAlias

import msgspec

from gx.chaincode.executor import ExecutionResult
from gx.chaincode.stub import Caller, Modification, Stub
from gx.domain.errors import GxError
from gx.domain.identifiers import EpochSeconds, TransactionId
from gx.domain.roles import LedgerRole
from gx.ledger.local.content import (
    CONTENT_FORMAT,
    Content,
    RangeRead,
    creator_of,
    encode_content,
    encode_raw,
    transaction_id_of,
)
from gx.ledger.local.history import walk_history
from gx.ledger.local.validation import digest_range
from gx.ledger.local.world import World

Execute: TypeAlias = Callable[[Stub, str, Sequence[str]], ExecutionResult]
"""`gx.chaincode.executor.Executor.execute` with the contracts registered."""


class SimulationTimeoutError(GxError):
    """The contract function ran longer than a simulation may."""


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """A contract function to be run, and in whose name."""

    function: str
    arguments: tuple[str, ...]
    role: LedgerRole
    nonce: bytes
    timestamp_ms: int


class _Scan:
    """How far a range was read, and what was there."""

    __slots__ = ("end", "seen", "start")

    def __init__(self, start: str) -> None:
        self.start: Final = start
        self.end = start
        self.seen: list[tuple[str, int]] = []

    def recorded(self) -> RangeRead:
        return RangeRead(self.start, self.end, digest_range(self.seen))


class RecordingStub:
    """One simulation's view of the ledger at a snapshot. Implements `gx.chaincode.stub.Stub`."""

    def __init__(
        self,
        call: Call,
        *,
        world: World,
        connection: sqlite3.Connection,
        snapshot: int,
        is_late: Callable[[], bool],
    ) -> None:
        self._call: Final = call
        self._world: Final = world
        self._connection: Final = connection
        self._snapshot: Final = snapshot
        self._is_late: Final = is_late
        self._transaction_id: Final = transaction_id_of(call.nonce, call.role)
        self._reads: dict[str, int] = {}
        self._scans: list[_Scan] = []
        self._writes: dict[str, str | None] = {}
        self._event: tuple[str, str] | None = None

    @property
    def transaction_id(self) -> TransactionId:
        """See `Stub`."""
        return self._transaction_id

    @property
    def timestamp_s(self) -> EpochSeconds:
        """See `Stub`."""
        return EpochSeconds(self._call.timestamp_ms // 1000)

    @property
    def caller(self) -> Caller:
        """See `Stub`. There are no certificates here: the client's word is the role."""
        return Caller(role=self._call.role, identity=creator_of(self._call.role))

    def get_state(self, key: str) -> str | None:
        """See `Stub`."""
        return self.get_states((key,))[0]

    def get_states(self, keys: Sequence[str]) -> Sequence[str | None]:
        """See `Stub`."""
        self._require_time()
        wanted = list(dict.fromkeys(keys))
        found = self._world.read(self._connection, wanted, self._snapshot)
        self._reads.update(zip(wanted, [version for version, _ in found], strict=True))
        values = [value for _, value in found]
        if len(wanted) == len(keys):
            return values
        by_key = dict(zip(wanted, values, strict=True))
        return [by_key[key] for key in keys]

    def get_range(self, start: str, end: str) -> Iterator[tuple[str, str]]:
        """See `Stub`. A scan that is not read to its end records only what it saw."""
        self._require_time()
        scan = _Scan(start)
        self._scans.append(scan)
        for key, (version, value) in self._world.scan(self._connection, start, end, self._snapshot):
            scan.seen.append((key, version))
            scan.end = key + "\0"  # the first text after the key
            self._require_time()
            yield key, value
        scan.end = end

    def get_history(self, key: str) -> Iterator[Modification]:
        """See `Stub`."""
        self._require_time()
        (found,) = self._world.read(self._connection, (key,), self._snapshot)
        for modification in walk_history(self._connection, key, found[0]):
            self._require_time()
            yield modification

    def put_states(self, writes: Mapping[str, str | None]) -> None:
        """See `Stub`."""
        for key, value in writes.items():
            if not key or value == "":
                raise ValueError(f"keys and values are non-empty text, got {key!r}")
        self._writes.update(writes)

    def set_event(self, name: str, payload: str) -> None:
        """See `Stub`."""
        self._event = (name, payload)

    def encode(self) -> bytes:
        """Write the transaction that this simulation made."""
        call, reads = self._call, self._reads
        index = {key: at for at, key in enumerate(reads)}
        content = Content(
            format=CONTENT_FORMAT,
            transaction_id=self._transaction_id,
            role=call.role.value,
            nonce=call.nonce,
            timestamp_ms=call.timestamp_ms,
            snapshot=self._snapshot,
            function=call.function,
            arguments=encode_raw(call.arguments),
            event=encode_raw(self._event),
            read_keys=list(reads),
            read_versions=list(reads.values()),
            ranges=[scan.recorded() for scan in self._scans],
            write_keys=[index.get(key, key) for key in self._writes],
            write_values=list(self._writes.values()),
        )
        return encode_content(content)

    def _require_time(self) -> None:
        if self._is_late():
            raise SimulationTimeoutError(
                f"{self._call.function} ran longer than a simulation may; nothing was recorded"
            )
