"""The schedule and its stories: the same seed is the same run, and can be written down."""

import pytest

from gx.ledger.kinds import LedgerKind
from tests.chaos.faults.catalogue import KINDS
from tests.chaos.faults.story import StoryError, read_story, write_story
from tests.chaos.schedule import draw, require_possible


@pytest.mark.parametrize("ledger", LedgerKind)
def test_the_same_seed_gives_the_same_faults(ledger: LedgerKind) -> None:
    """Kinds, targets, pauses, durations and amounts follow from the seed alone."""
    assert draw(7, 300, ledger) == draw(7, 300, ledger)
    assert draw(7, 300, ledger) != draw(8, 300, ledger)


@pytest.mark.parametrize("ledger", LedgerKind)
def test_a_longer_run_begins_like_a_shorter_one(ledger: LedgerKind) -> None:
    """So a fault that was found late is found again by asking for as many."""
    assert draw(7, 40, ledger) == draw(7, 400, ledger)[:40]


@pytest.mark.parametrize("ledger", LedgerKind)
@pytest.mark.parametrize("seed", range(20))
def test_twenty_faults_are_of_every_kind(ledger: LedgerKind, seed: int) -> None:
    """The short form leaves no kind out, whatever its seed."""
    kinds = {name for name, kind in KINDS.items() if ledger in kind.declaration.targets}
    assert {fault.kind for fault in draw(seed, 20, ledger)} == kinds


@pytest.mark.parametrize("ledger", LedgerKind)
def test_three_hundred_faults_meet_every_target(ledger: LedgerKind) -> None:
    """The long form does everything to everybody."""
    met = {(fault.kind, fault.target) for fault in draw(1, 300, ledger)}
    declared = {
        (name, target)
        for name, kind in KINDS.items()
        for target in kind.declaration.targets.get(ledger, ())
    }
    assert met == declared


@pytest.mark.parametrize("ledger", LedgerKind)
def test_numbers_stay_within_what_is_declared(ledger: LedgerKind) -> None:
    """No fault lasts longer, or is stronger, than its kind says."""
    for fault in draw(3, 300, ledger):
        declaration = KINDS[fault.kind].declaration
        shortest, longest = declaration.duration_s
        assert shortest - 0.01 <= fault.duration_s <= longest + 0.01
        assert fault.amount in (declaration.amounts or (0.0,))


@pytest.mark.parametrize("ledger", LedgerKind)
def test_a_story_that_was_written_is_read_as_the_same(ledger: LedgerKind) -> None:
    """What a failed run prints can be given back to it, with nothing lost."""
    faults = draw(11, 200, ledger)
    assert read_story(write_story(faults)) == faults


@pytest.mark.parametrize(
    ("text", "words"),
    [("kil:ledger@1", "there are kill, freeze"), ("torn-tail:api@1", "happens to ledger")],
)
def test_a_story_that_cannot_be_played_is_refused(text: str, words: str) -> None:
    """A typing error in a kind or a target is told at once, with what there is."""
    with pytest.raises(StoryError, match=words):
        require_possible(read_story(text), LedgerKind.LOCAL)


@pytest.mark.parametrize("text", ["kill", "kill:ledger", "kill@1", "kill:ledger@x", "kill:a@1.2.3"])
def test_what_is_no_story_is_refused_by_its_part(text: str) -> None:
    """The error repeats the part that is wrong, and shows what one looks like."""
    with pytest.raises(StoryError, match=r"is no fault|could not convert"):
        read_story(f"kill:api@0.10,{text}")
