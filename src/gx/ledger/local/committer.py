"""The writer's thread: takes envelopes from a queue and commits what has gathered.

While one group is being made durable the next one queues up; there is no timer. So a lone
submission waits for nothing, and under load many blocks share one sync of the disk.
"""

import asyncio
import sqlite3
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Final, TypeAlias

import structlog

from gx.ledger.local.chain import Tip
from gx.ledger.local.content import BadEnvelopeError, decode_content, unseal
from gx.ledger.local.store import LedgerStore, Recorded, Submission

_log: Final = structlog.get_logger(__name__)

GROUP_MAX: Final = 64
GROUP_BYTES_MAX: Final = 32 * 1024 * 1024


class StoreFailedError(Exception):
    """The disk or the file failed; nothing of the submission was recorded."""


@dataclass(frozen=True, slots=True)
class Committed:
    """A group that became durable, for whoever counts: what was recorded, how long it took."""

    recorded: tuple[Recorded, ...]
    tip: Tip
    genesis_hash: bytes | None
    duration_s: float


Verdict: TypeAlias = "asyncio.Future[Recorded]"
Observer: TypeAlias = Callable[[Committed], None]


@dataclass(frozen=True, slots=True)
class _Waiting:
    envelope: bytes
    verdict: Verdict


class Committer:
    """Feeds the store from the event loop. `observe` is called on the loop, group by group."""

    def __init__(self, store: LedgerStore, *, signing_key: bytes, observe: Observer) -> None:
        self._store: Final = store
        self._signing_key: Final = signing_key
        self._observe: Final = observe
        self._loop: Final = asyncio.get_running_loop()
        self._queue: Final[SimpleQueue[_Waiting | None]] = SimpleQueue()
        self._thread: Final = Thread(target=self._run, name="ledger-writer", daemon=True)
        self.problem: str | None = None
        """Why the last group failed; None once one has succeeded again."""

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def submit(self, envelope: bytes) -> Verdict:
        """Queue an envelope. The future tells what the chain made of it, once that is durable.

        It raises `BadEnvelopeError` for bytes this ledger did not sign, `StoreFailedError` if
        nothing could be written.
        """
        verdict: Verdict = self._loop.create_future()
        self._queue.put(_Waiting(envelope, verdict))
        return verdict

    async def close(self) -> None:
        """Commit what is queued, flush the state, end the thread."""
        self._queue.put(None)
        await asyncio.to_thread(self._thread.join)

    def _run(self) -> None:
        is_open = True
        while is_open:
            group, is_open = self._gather()
            self._commit(group)
        try:
            self._store.flush_all()
        except sqlite3.Error as error:
            _log.warning("ledger_flush_failed", error=error)

    def _gather(self) -> tuple[list[_Waiting], bool]:
        """Wait for a submission and take what has queued behind it; False at the end."""
        group: list[_Waiting] = []
        size = 0
        waiting = self._queue.get()
        while waiting is not None:
            group.append(waiting)
            size += len(waiting.envelope)
            if len(group) >= GROUP_MAX or size >= GROUP_BYTES_MAX:
                return group, True
            try:
                waiting = self._queue.get_nowait()
            except Empty:
                return group, True
        return group, False

    def _commit(self, group: Sequence[_Waiting]) -> None:
        """Commit a group; if it fails as a whole, each of it alone, so that none hurts another."""
        accepted: list[_Waiting] = []
        submissions: list[Submission] = []
        for waiting in group:
            try:
                submissions.append(self._open(waiting.envelope))
                accepted.append(waiting)
            except BadEnvelopeError as error:
                self._call(partial(_fail, [waiting], error))
        if not self._try(accepted, submissions) and len(accepted) > 1:
            for waiting, submission in zip(accepted, submissions, strict=True):
                self._try([waiting], [submission])

    def _try(self, group: list[_Waiting], submissions: list[Submission]) -> bool:
        if not group:
            return True
        started_s = time.perf_counter()
        try:
            recorded = self._store.commit(submissions)
        except Exception as error:  # noqa: BLE001 (whatever it is, the writer must live on and answer)
            self.problem = str(error)
            _log.warning("ledger_commit_failed", transactions=len(group), error=repr(error))
            if len(group) == 1:
                self._call(partial(_fail, group, StoreFailedError(str(error))))
            return False
        self.problem = None
        duration_s = time.perf_counter() - started_s
        committed = Committed(
            tuple(recorded), self._store.tip, self._store.genesis_hash, duration_s
        )
        self._call(partial(self._deliver, group, committed))
        return True

    def _open(self, envelope: bytes) -> Submission:
        body, digest = unseal(envelope, self._signing_key)
        return Submission(decode_content(body), body, digest)

    def _deliver(self, group: Sequence[_Waiting], committed: Committed) -> None:
        for waiting, recorded in zip(group, committed.recorded, strict=True):
            if not waiting.verdict.done():
                waiting.verdict.set_result(recorded)
        self._observe(committed)

    def _call(self, answer: Callable[[], None]) -> None:
        """Answer on the loop; a loop that has ended has nobody who waits."""
        try:
            self._loop.call_soon_threadsafe(answer)
        except RuntimeError:
            _log.warning("ledger_answer_dropped")


def _fail(group: Sequence[_Waiting], error: Exception) -> None:
    for waiting in group:
        if not waiting.verdict.done():
            waiting.verdict.set_exception(error)
