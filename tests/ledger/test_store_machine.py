"""The store against a dictionary: whatever is prepared, submitted, crashed or refused by the disk.

The model is Fabric's rule in ten lines. The store flushes after a handful of keys here, so that
flushes, snapshots and restarts meet in every order.
"""

import secrets
import shutil
import sqlite3
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)
from typing_extensions import override

from gx.domain.roles import LedgerRole
from gx.ledger.local.content import ABSENT, decode_content, seal, unseal
from gx.ledger.local.opening import FolderLock, OpenedLedger, open_ledger
from gx.ledger.local.schema import open_reader
from gx.ledger.local.simulation import Call, RecordingStub
from gx.ledger.local.store import FlushPolicy, Submission
from gx.ledger.local.verify import verify_ledger
from gx.ledger.ports import ValidationCode

# Keys whose order differs between UTF-16 and code points, and one that needs quoting.
KEYS = ("a", "b", "c'\"", "\uffff", "\U0001f600")
LAST = "\U0010ffff"

keys = st.sampled_from(KEYS)
key_sets = st.frozensets(keys, max_size=4)
write_sets = st.dictionaries(keys, st.none() | st.sampled_from(("1", "2", "ü" * 40)), max_size=4)
ranges = st.none() | st.tuples(keys, keys | st.just(LAST))

State = dict[str, tuple[int, str]]


@dataclass
class Prepared:
    """An endorsed transaction, and what the model knows of it."""

    submission: Submission
    reads: dict[str, int]
    scanned: tuple[str, str, int | None] | None
    seen: list[tuple[str, int]]
    writes: dict[str, str | None]


@dataclass
class Model:
    """The ledger in a dictionary."""

    state: State = field(default_factory=dict)
    codes: list[ValidationCode] = field(default_factory=list)
    known: dict[str, bool] = field(default_factory=dict)
    """Transaction ids, and whether a copy of each is recorded."""

    def versions(self, start: str, end: str) -> list[tuple[str, int]]:
        """List keys and versions of a range."""
        return sorted(
            (key, version) for key, (version, _) in self.state.items() if start <= key < end
        )

    def version(self, key: str) -> int:
        """Return a key's version."""
        return self.state[key][0] if key in self.state else ABSENT

    def submit(self, prepared: Prepared) -> tuple[ValidationCode, int | None]:
        """Do what Fabric does, except that only one copy of an id is recorded."""
        transaction_id = prepared.submission.content.transaction_id
        number = len(self.codes)
        if transaction_id in self.known:
            had_copy, self.known[transaction_id] = self.known[transaction_id], True
            if not had_copy:
                self.codes.append(ValidationCode.DUPLICATE_TXID)
            return ValidationCode.DUPLICATE_TXID, None if had_copy else number
        self.known[transaction_id] = False
        code = self._judge(prepared)
        self.codes.append(code)
        if code is ValidationCode.VALID:
            for key, value in prepared.writes.items():
                if value is None:
                    self.state.pop(key, None)
                else:
                    self.state[key] = (number, value)
        return code, number

    def _judge(self, prepared: Prepared) -> ValidationCode:
        if any(self.version(key) != version for key, version in prepared.reads.items()):
            return ValidationCode.MVCC_READ_CONFLICT
        if prepared.scanned is not None:
            start, end, limit = prepared.scanned
            now = self.versions(start, end)
            if limit is not None:
                now = [row for row in now if not prepared.seen or row[0] <= prepared.seen[-1][0]]
                now = now if prepared.seen else []
            if now != prepared.seen:
                return ValidationCode.PHANTOM_READ_CONFLICT
        return ValidationCode.VALID


class StoreMachine(RuleBasedStateMachine):
    """Drives the store as server and crashes would."""

    prepared = Bundle("prepared")
    snapshots = Bundle("snapshots")

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="gxm"))
        self.model = Model()
        self.held: list[ExitStack] = []
        self.policy = FlushPolicy()

    @initialize(keys=st.sampled_from((1, 3, 1_000)), slice_keys=st.integers(1, 3))
    def open(self, keys: int, slice_keys: int) -> None:
        """Begin with an empty ledger that flushes at once, soon, or hardly ever."""
        self.policy = FlushPolicy(keys=keys, blocks=20, slice_keys=slice_keys)
        self._open()

    ledger: OpenedLedger

    def _open(self) -> None:
        self.lock = FolderLock(self.folder)
        self.ledger = open_ledger(self.folder, verify_blocks=3, policy=self.policy)
        self.reader = open_reader(self.ledger.path)

    def _close(self) -> None:
        for held in self.held:
            held.close()
        self.held.clear()
        self.reader.close()
        self.ledger.store.connection.close()
        self.lock.release()

    def _stub(self, snapshot: int) -> RecordingStub:
        call = Call(
            function="Test:machine",
            arguments=(),
            role=LedgerRole.ADMIN,
            nonce=secrets.token_bytes(24),
            timestamp_ms=1_000,
        )
        return RecordingStub(
            call,
            world=self.ledger.world,
            connection=self.reader,
            snapshot=snapshot,
            is_late=lambda: False,
        )

    @rule(
        target=prepared,
        reads=key_sets,
        writes=write_sets,
        scanned=ranges,
        limit=st.none() | st.integers(1, 3),
    )
    def prepare(
        self,
        reads: frozenset[str],
        writes: dict[str, str | None],
        scanned: tuple[str, str] | None,
        limit: int | None,
    ) -> Prepared:
        """A simulation sees exactly the committed state, and never its own writes."""
        with self.ledger.world.snapshots.hold() as snapshot:
            stub = self._stub(snapshot)
            stub.put_states(writes)
            wanted = sorted(reads)
            expected = [self.model.state.get(key, (ABSENT, None))[1] for key in wanted]
            assert list(stub.get_states(wanted)) == expected
            seen: list[tuple[str, int]] = []
            if scanned is not None:
                for key, value in stub.get_range(*scanned):
                    assert self.model.state[key][1] == value
                    seen.append((key, self.model.version(key)))
                    if len(seen) == limit:
                        break
                assert seen == self.model.versions(*scanned)[:limit]
                limit = limit if len(seen) == limit else None
            envelope = seal(stub.encode(), self.ledger.signing_key)
        body, digest = unseal(envelope, self.ledger.signing_key)
        return Prepared(
            submission=Submission(decode_content(body), body, digest),
            reads={key: self.model.version(key) for key in reads},
            scanned=None if scanned is None else (*scanned, limit),
            seen=seen,
            writes=writes,
        )

    @rule(group=st.lists(prepared, min_size=1, max_size=4))
    def submit(self, group: list[Prepared]) -> None:
        """A group gets the verdicts that its transactions would get one by one."""
        recorded = self.ledger.store.commit([each.submission for each in group])

        expected = [self.model.submit(each) for each in group]
        assert [(each.code, each.block and each.block.number) for each in recorded] == expected

    @rule(reads=key_sets, writes=write_sets, others=write_sets)
    def race(
        self, reads: frozenset[str], writes: dict[str, str | None], others: dict[str, str | None]
    ) -> None:
        """Of two transactions on one state, the second counts only if it read nothing written."""
        self.submit(
            [
                self.prepare(reads=reads, writes=writes, scanned=None, limit=None),
                self.prepare(reads=reads, writes=others, scanned=("a", LAST), limit=None),
            ]
        )

    @rule(group=st.lists(prepared, min_size=1, max_size=3), after=st.integers(1, 300))
    def fail_to_submit(self, group: list[Prepared], after: int) -> None:
        """A commit that is interrupted anywhere leaves everything as it was, or is whole."""
        steps = 0

        def interrupt() -> bool:
            nonlocal steps
            steps += 1
            return steps == after

        connection = self.ledger.store.connection
        connection.set_progress_handler(interrupt, 1)
        try:
            self.ledger.store.commit([each.submission for each in group])
        except sqlite3.OperationalError:
            return
        finally:
            connection.set_progress_handler(None, 1)
        for each in group:
            self.model.submit(each)

    @rule(target=snapshots)
    def hold(self) -> tuple[int, State, ExitStack]:
        """Keep a snapshot open while others commit and flush."""
        held = ExitStack()
        snapshot = held.enter_context(self.ledger.world.snapshots.hold())
        self.held.append(held)
        return snapshot, dict(self.model.state), held

    @rule(held=snapshots, is_last=st.sampled_from((True, False, False)))
    def read_held(self, held: tuple[int, State, ExitStack], *, is_last: bool) -> None:
        """A snapshot shows the state as it stood, however old it is."""
        snapshot, state, stack = held
        if stack not in self.held:
            return  # the server went down meanwhile
        stub = self._stub(snapshot)
        assert list(stub.get_states(KEYS)) == [state.get(key, (0, None))[1] for key in KEYS]
        assert dict(stub.get_range("a", LAST)) == {key: row[1] for key, row in state.items()}
        if is_last:
            stack.close()
            self.held.remove(stack)

    @rule(fate=st.sampled_from(("crash", "stop", *(["live on"] * 6))))
    def go_down(self, fate: str) -> None:
        """What was acknowledged is there after a crash; a clean stop leaves nothing to replay."""
        if fate == "stop":
            for held in self.held:
                held.close()
            self.held.clear()
            self.ledger.store.flush_all()
            assert self.ledger.store.tip.savepoint == self.ledger.store.tip.newest
        if fate != "live on":
            self._close()
            self._open()
            assert fate == "crash" or self.ledger.replayed == 0

    @precondition(lambda self: len(self.model.codes) % 7 == 3)
    @rule()
    def verify(self) -> None:
        """At any moment the file recomputes to itself."""
        report = verify_ledger(self.folder)

        assert report.difference is None, str(report.difference)
        assert report.blocks == len(self.model.codes)
        assert report.keys == len(self.model.state)

    @invariant()
    def the_state_is_the_models(self) -> None:
        """Key by key and as a range, the newest snapshot is the model."""
        with self.ledger.world.snapshots.hold() as snapshot:
            found = self.ledger.world.read(self.reader, KEYS, snapshot)
            assert found == [self.model.state.get(key, (ABSENT, None)) for key in KEYS]
            scanned = dict(self.ledger.world.scan(self.reader, "", LAST, snapshot))
            assert scanned == self.model.state
        tip = self.ledger.store.tip
        assert (tip.height, tip.state_keys) == (len(self.model.codes), len(self.model.state))

    @override
    def teardown(self) -> None:
        """Leave nothing behind."""
        report = verify_ledger(self.folder)
        self._close()
        shutil.rmtree(self.folder)
        assert report.difference is None, str(report.difference)


TestStoreMachine = StoreMachine.TestCase
