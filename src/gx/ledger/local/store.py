"""The ledger's one writer: validates transactions in order and makes their blocks durable.

Several transactions may be committed together: each in a block of its own, all in one SQLite
transaction, so that they share one sync of the disk. Nothing is visible, nor answered, before
that sync; if it fails, none of them happened.
"""

import hashlib
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Final

from gx.ledger.local import chain
from gx.ledger.local.blocks import StoredBlock, encode_metadata, hash_block
from gx.ledger.local.chain import Tip
from gx.ledger.local.content import ABSENT, Content, encode_content, encode_raw
from gx.ledger.local.validation import Staged, validate
from gx.ledger.local.world import Flush, World
from gx.ledger.ports import ValidationCode


@dataclass(frozen=True, slots=True)
class Submission:
    """An envelope whose signature was checked: its content, decoded and as bytes, and its hash."""

    content: Content
    body: bytes | memoryview
    digest: bytes


@dataclass(frozen=True, slots=True)
class Recorded:
    """What the chain made of a submission; `block` is None where nothing was appended."""

    code: ValidationCode
    block: StoredBlock | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FlushPolicy:
    """When pending state goes to the table: whichever limit is reached first.

    `keys` bounds memory; `blocks` and `content_bytes` bound what a restart replays. A slice is
    `slice_keys` keys, or what comes in meanwhile and a quarter, so that a flush ends: no more,
    for whoever waits for its block waits for it, too, and in a large ledger each key is a page of
    its own. So flushes follow each other closely, and the disk is neither at rest nor flooded.
    """

    keys: int = 6_144
    blocks: int = 2_048
    content_bytes: int = 64 * 1024 * 1024
    slice_keys: int = 32


_SLICE_SHARE: Final = 1.25
_CLOSING_SLICES: Final = 32
"""How many slices are written at once when nobody waits."""


@dataclass(slots=True)
class _Group:
    """Blocks on their way into one SQLite transaction."""

    tip: Tip
    staged: Staged
    genesis_hash: bytes | None
    writes: list[tuple[int, Mapping[str, str | None]]] = field(default_factory=list)
    recorded: list[Recorded] = field(default_factory=list)
    content_bytes: int = 0
    keys: int = 0


class LedgerStore:
    """Owns the writing connection. Every method is for the writer's thread alone."""

    def __init__(
        self, connection: sqlite3.Connection, *, world: World, tip: Tip, policy: FlushPolicy
    ) -> None:
        self.connection: Final = connection
        self._world: Final = world
        self._policy: Final = policy
        self._flush: Flush | None = None
        self._content_bytes = 0
        self._doubtful: _Group | None = None
        self.tip = tip
        self.genesis_hash = chain.load_hash(connection, 0)

    def commit(self, submissions: Sequence[Submission]) -> list[Recorded]:
        """Validate and append these transactions, in order, in one durable step.

        Raises:
            sqlite3.Error: none of them happened (disk full, I/O error).
            CorruptStateError: a row needed for validation is damaged; none of them happened.
        """
        self._settle_doubt()
        group = self._new_group()
        with self._unit_of_work(group):
            group.recorded.extend(self._append(submission, group) for submission in submissions)
            if group.tip != self.tip:
                self._stage_flush(group)
                chain.save_tip(self.connection, group.tip)
        return group.recorded

    def flush_all(self) -> None:
        """Bring the state table up to the tip, so that the next start replays nothing.

        Raises:
            sqlite3.Error: the file cannot be written; the next start replays instead.
        """
        while self._flush is not None or self._flush_limit() > self.tip.savepoint:
            self._commit_flush()

    def _commit_flush(self) -> None:
        """Flush one slice in a transaction of its own."""
        self._settle_doubt()
        group = self._new_group()
        self._flush = self._flush or self._start_flush()
        keys_max = _CLOSING_SLICES * self._policy.slice_keys
        with self._unit_of_work(group):
            self._stage_slice(self._flush, group, keys_max=keys_max)
            chain.save_tip(self.connection, group.tip)

    def _new_group(self) -> _Group:
        staged = Staged(self.connection, self._world, self.tip.newest)
        return _Group(self.tip, staged, self.genesis_hash)

    @contextmanager
    def _unit_of_work(self, group: _Group) -> Iterator[None]:
        """Make what is done within durable together and show it, or undo it."""
        try:
            self.connection.execute("BEGIN IMMEDIATE")
            yield
            self.connection.execute("COMMIT")
        except BaseException:
            self._doubtful = group
            self._roll_back()
            if not self._settle_doubt():
                raise
        else:
            self._publish(group)

    def _roll_back(self) -> None:
        if self.connection.in_transaction:  # some errors make SQLite roll back by itself
            self.connection.execute("ROLLBACK")

    def _settle_doubt(self) -> bool:
        """Tell whether a group whose commit failed is in the file all the same, and show it then.

        An error of COMMIT does not say whether the log's last frame was written.

        Raises:
            sqlite3.Error: the file cannot be read; the doubt remains for the next commit.
        """
        group = self._doubtful
        if group is None:
            return False
        self._roll_back()
        tip, _ = chain.load_tip(self.connection)
        self._doubtful = None
        if tip == self.tip:
            return False
        self._publish(group)
        return True

    def _append(self, submission: Submission, group: _Group) -> Recorded:
        transaction_id = submission.content.transaction_id
        known = chain.find_transaction(self.connection, transaction_id)
        if known is not None:
            return self._append_copy(submission, group, has_copy=known[1] is not None)
        code = validate(submission.content, group.staged)
        previous: list[int] = []
        if code is ValidationCode.VALID:
            previous = self._stage_writes(submission.content, group)
        block = self._chain(submission, group, encode_metadata(code, previous))
        chain.add_transaction(self.connection, transaction_id, block.number)
        return Recorded(code, block)

    def _append_copy(self, submission: Submission, group: _Group, *, has_copy: bool) -> Recorded:
        """Record the first copy of a transaction id without its content; only count the others.

        So consumers meet copies as they do on Fabric, yet blind retries cannot grow the chain:
        it holds at most two blocks for one id.
        """
        code = ValidationCode.DUPLICATE_TXID
        if has_copy:
            return Recorded(code, None)
        body = encode_content(_bare(submission.content))
        copy = Submission(submission.content, body, hashlib.sha256(body).digest())
        block = self._chain(copy, group, encode_metadata(code, []))
        chain.add_copy(self.connection, submission.content.transaction_id, block.number)
        return Recorded(code, block)

    def _chain(self, submission: Submission, group: _Group, metadata: bytes) -> StoredBlock:
        number, previous_hash = group.tip.height, group.tip.hash
        block_hash = hash_block(
            number,
            previous_hash=previous_hash,
            content_digest=submission.digest,
            metadata=metadata,
        )
        block = StoredBlock(number, previous_hash, block_hash, metadata, bytes(submission.body))
        chain.append_block(self.connection, block)
        group.genesis_hash = group.genesis_hash or block_hash
        group.content_bytes += len(submission.body)
        group.tip = replace(
            group.tip,
            height=number + 1,
            hash=block_hash,
            newest_timestamp_ms=max(group.tip.newest_timestamp_ms, submission.content.timestamp_ms),
        )
        return block

    def _stage_writes(self, content: Content, group: _Group) -> list[int]:
        """Stage a valid transaction's writes; return the versions before its blind writes."""
        number, writes = group.tip.height, content.writes()
        previous = [version for version, _ in group.staged.current(content.blind_writes())]
        group.staged.add(number, writes)
        group.writes.append((number, writes))
        group.keys += len(writes)
        growth = _growth(content, previous)
        group.tip = replace(group.tip, state_keys=group.tip.state_keys + growth)
        return previous

    def _stage_flush(self, group: _Group) -> None:
        """Let a slice of pending state ride along."""
        if self._flush is None and self._is_flush_due():
            self._flush = self._start_flush()
        if self._flush is not None:
            keys_max = max(self._policy.slice_keys, int(_SLICE_SHARE * group.keys))
            self._stage_slice(self._flush, group, keys_max=keys_max)

    def _stage_slice(self, flush: Flush, group: _Group, *, keys_max: int) -> None:
        if flush.stage(self.connection, keys_max):
            group.tip = replace(group.tip, savepoint=flush.limit)

    def _start_flush(self) -> Flush:
        self._content_bytes = 0
        return Flush(self._world, limit=self._flush_limit())

    def _flush_limit(self) -> int:
        return min(self.tip.newest, self._world.snapshots.oldest())

    def _is_flush_due(self) -> bool:
        """Tell whether a limit is reached and no long simulation holds most of it back."""
        behind = self.tip.newest - self.tip.savepoint
        is_due = (
            len(self._world.pending) > self._policy.keys
            or behind > self._policy.blocks
            or self._content_bytes > self._policy.content_bytes
        )
        return is_due and 2 * (self._flush_limit() - self.tip.savepoint) >= behind

    def _publish(self, group: _Group) -> None:
        """Show what has just become durable. Touches memory alone: it cannot fail."""
        if self._flush is not None:
            self._flush.confirm()
            if group.tip.savepoint == self._flush.limit:
                self._flush = None
        for number, writes in group.writes:
            self._world.add(number, writes)
        self._content_bytes += group.content_bytes
        self.genesis_hash = group.genesis_hash
        self.tip = group.tip
        self._world.snapshots.advance(group.tip.newest)


def _bare(content: Content) -> Content:
    """Return the transaction without what it read and wrote: enough to name its copy."""
    return Content(
        format=content.format,
        transaction_id=content.transaction_id,
        role=content.role,
        nonce=content.nonce,
        timestamp_ms=content.timestamp_ms,
        snapshot=content.snapshot,
        function=content.function,
        arguments=encode_raw(()),
        event=encode_raw(None),
        read_keys=[],
        read_versions=[],
        ranges=[],
        write_keys=[],
        write_values=[],
    )


def _growth(content: Content, previous: list[int]) -> int:
    """Count how many more keys there are after a transaction; `previous` is of its blind writes."""
    blind = iter(previous)
    versions = content.read_versions
    growth = 0
    for key, value in zip(content.write_keys, content.write_values, strict=True):
        before = next(blind) if isinstance(key, str) else versions[key]
        growth += (value is not None) - (before != ABSENT)
    return growth
