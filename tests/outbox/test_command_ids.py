"""Command ids: UUIDs of version 7 that sort by their making."""

import os
import uuid

from hypothesis import given
from hypothesis import strategies as st

from gx.outbox.command_ids import CommandIds
from tests.outbox.builders import TestClock


def test_an_id_is_a_uuid_of_version_7() -> None:
    """RFC 9562: the milliseconds, the version, the variant."""
    clock = TestClock(now_ms=0x0123_4567_89AB)

    parsed = uuid.UUID(CommandIds(clock, os.urandom)())

    assert parsed.version == 7
    assert parsed.variant == uuid.RFC_4122
    assert parsed.int >> 80 == 0x0123_4567_89AB


@given(steps=st.lists(st.integers(-5, 5), max_size=50), byte=st.integers(0, 255))
def test_ids_grow_whatever_the_clock_does(steps: list[int], byte: int) -> None:
    """Also when it stands still or steps back, and whatever the random bytes are."""
    clock = TestClock()
    new_id = CommandIds(clock, lambda size: bytes([byte]) * size)

    ids = []
    for step in steps:
        clock.advance(step / 1000)
        ids += [new_id() for _ in range(3)]

    assert ids == sorted(set(ids))


def test_more_ids_than_a_millisecond_holds_borrow_the_next() -> None:
    """A burst within one millisecond neither repeats nor goes back."""
    new_id = CommandIds(TestClock(), lambda size: b"\xff" * size)

    ids = [new_id() for _ in range(10_000)]

    assert ids == sorted(set(ids))


def test_two_processes_do_not_meet() -> None:
    """At the same millisecond the random part keeps them apart."""
    clock = TestClock()
    first, second = CommandIds(clock, os.urandom), CommandIds(clock, os.urandom)

    assert not {first() for _ in range(2_000)} & {second() for _ in range(2_000)}
