"""Which fault brings which bug out, and what the judge says then."""

from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Final, NamedTuple, TypeAlias

from tests.chaos.findings import Rule
from tests.chaos.lab import Lab
from tests.chaos.planted import crashes, effects, network, queue, storage
from tests.chaos.proxy import Toxics

Scene: TypeAlias = Callable[[Lab, Sequence[str]], Awaitable[None]]
"""Plays a fault at the one moment at which it hurts, with these bugs planted, or none."""


class Planted(NamedTuple):
    """A bug that a kind of fault brings out. Without the bug, the same scene harms nobody."""

    kind: str
    bugs: tuple[str, ...]
    scene: Scene
    names: Rule

    @property
    def name(self) -> str:
        """The fault and the bug."""
        return f"{self.kind}:{self.bugs[0]}"


def _unanswered(kind: str, hurt: network.Hurt) -> Planted:
    scene = partial(network.verdict_that_stays_away, hurt=hurt)
    return Planted(kind, ("silence-is-no",), scene, Rule.SENT_AGAIN)


def _refused(kind: str, refuse: queue.Change, admit: queue.Change) -> Planted:
    scene = partial(queue.database_that_refuses, refuse=refuse, admit=admit)
    return Planted(kind, ("early-answer",), scene, Rule.LOST)


def _broken(kind: str, toxics: Toxics) -> Planted:
    scene = partial(network.stream_that_breaks, toxics=toxics)
    return Planted(kind, ("stream-not-reopened",), scene, Rule.CHECKPOINT)


def _moved(kind: str, offsets_s: Sequence[int]) -> Planted:
    scene = partial(queue.clock_that_jumps, offsets_s=offsets_s)
    return Planted(kind, ("cursor-of-ids",), scene, Rule.UNSETTLED)


RESTORE: Final = "restore"
"""No fault of the schedule: an operator's work, which has a suite of its own."""

NO_FAULT: Final = "no-fault"
"""A bug that is there all the time."""

_CLIENT: Final = "re-keyed-retry"
_SERVER: Final = "no-synchronous-commit"
_TRIGGER: Final = "swallowing-trigger"
ELSEWHERE: Final = frozenset({_CLIENT, _SERVER, _TRIGGER})
"""Bugs that are no process's of ours: a client's, a setting of PostgreSQL, and a trigger in it."""

_SLOW: Final = ("skips-when-slow", "gap-unseen")
_LOST_WRITE: Final = ("written-once",)

PLANTED: Final[Sequence[Planted]] = (
    Planted("freeze-past-lease", ("no-fence",), crashes.frozen_past_its_lease, Rule.ORDER),
    Planted(RESTORE, ("no-idempotency-record",), crashes.restored_from_an_older_dump, Rule.DOUBLED),
    Planted("kill", ("checkpoint-apart",), crashes.killed_behind_the_checkpoint, Rule.REBUILT),
    Planted("kill", ("late-envelope",), crashes.killed_after_submitting, Rule.SENT_AGAIN),
    Planted("restart-postgres", (_SERVER,), storage.killed_postgres, Rule.LOST),
    Planted("cut-connections", _LOST_WRITE, network.answer_that_is_not_taken, Rule.UNTOLD),
    _refused("doors-closed", queue.close_doors, queue.open_doors),
    Planted(
        "notify-storm",
        ("counted-notifications",),
        queue.notifications_about_nothing,
        Rule.UNSETTLED,
    ),
    _unanswered("freeze", network.freeze_ledger),
    _unanswered("delay", network.spoil(Toxics(delay_s=0.8))),
    _unanswered("partition", network.spoil(Toxics(is_held=True))),
    _unanswered("lost-answers", network.spoil(Toxics(lost_answers=1.0))),
    Planted("lost-answers", (_CLIENT,), network.answer_that_is_lost, Rule.UNASKED),
    Planted("lost-requests", _LOST_WRITE, network.request_that_is_lost, Rule.UNTOLD),
    _broken("black-hole", Toxics(is_black_hole=True)),
    _broken("refused", Toxics(is_closed=True)),
    Planted("slow-consumer", _SLOW, network.reader_that_is_slow, Rule.REBUILT),
    _refused("disk-full", queue.fill_disk, queue.empty_disk),
    _moved("clock-forward", queue.FORWARD_S),
    _moved("clock-backward", queue.BACKWARD_S),
    Planted("torn-tail", ("unchecked-end",), storage.torn_end, Rule.CHAIN),
    Planted("flipped-byte", ("unchecked-hashes",), storage.changed_byte, Rule.CHAIN),
    Planted("poison", ("buried-together",), queue.poison_in_a_batch, Rule.GIVEN_UP),
    Planted(NO_FAULT, ("no-effect",), effects.transfers_at_the_ledger, Rule.EFFECT),
    Planted(NO_FAULT, ("one-unit",), effects.transfers_at_the_ledger, Rule.EFFECT),
    Planted(NO_FAULT, ("refuses-all",), effects.transfers_at_the_ledger, Rule.REFUSED),
    Planted(NO_FAULT, ("stale-amount",), effects.transfers_at_the_submitter, Rule.EFFECT),
    Planted(NO_FAULT, ("swapped-ids",), effects.requests_at_once, Rule.WRONG_KEY),
    Planted(NO_FAULT, (_TRIGGER,), effects.swallowed_commands, Rule.REFUSED),
)
"""Every kind of fault of the schedule comes up: each is proven able to fail the judge."""
