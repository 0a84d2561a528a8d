"""Scenes about what waits: how it is found, and what becomes of what nobody can carry out."""

import os
import uuid
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Final, TypeAlias

from gx.outbox.command_ids import CommandIds
from gx.outbox.postgres.store import WAKE_UP_CHANNEL
from gx.runtime.clock import ShiftedClock, SystemClock
from tests.chaos.edge import Edge, open_edge
from tests.chaos.faults.poison import INJECT
from tests.chaos.lab import Lab, until

Change: TypeAlias = Callable[[Lab], Awaitable[None]]

FORWARD_S: Final = (3_600, 0, 7_200)
BACKWARD_S: Final = (0, -3_600, 0)


async def clock_that_jumps(lab: Lab, bugs: Sequence[str], *, offsets_s: Sequence[int]) -> None:
    """An edge's clock moves between three commands, so that the second one's id is the smallest."""
    await lab.start_ledger()
    await lab.bootstrap("alice")
    lab.start("submitter", *bugs)
    lab.start("projector")
    first, second, third = (ShiftedClock(SystemClock(), offset_s=each) for each in offsets_s)
    await lab.until_settled(await lab.mint("alice", clock=first))
    await lab.mint("bob", clock=second)
    await lab.until_settled(await lab.mint("carol", clock=third))
    await lab.until_quiet(gives_up=bool(bugs))


async def notifications_about_nothing(lab: Lab, bugs: Sequence[str]) -> None:
    """The submitter is woken up again and again before there is anything to do."""
    await lab.start_ledger()
    await lab.bootstrap("alice")
    submitter = lab.start("submitter", *bugs)
    await until(partial(_is_listened_to, lab), "listener")
    for _ in range(40):
        await lab.ask("SELECT pg_notify($1, 'stale')", WAKE_UP_CHANNEL)
    if bugs:
        await until(lambda: submitter.says("command_counted"), "counted notification")
    await lab.mint("alice")
    lab.start("projector")
    await lab.until_quiet(gives_up=bool(bugs))


async def _is_listened_to(lab: Lab) -> bool:
    listening = "application_name LIKE 'gx-outbox-submitter listen' AND query LIKE 'LISTEN%'"
    return bool(await lab.ask(f"SELECT count(*) FROM pg_stat_activity WHERE {listening}"))  # noqa: S608 (a constant)


async def poison_in_a_batch(lab: Lab, bugs: Sequence[str]) -> None:
    """A command that can never be carried out rides with others that can."""
    await lab.start_ledger()
    await lab.bootstrap("alice", "bob")
    poison = uuid.UUID(CommandIds(SystemClock(), os.urandom)())
    await lab.ask(INJECT, [poison])
    lab.notes.update(poison=[str(poison)])
    for _ in range(3):
        await lab.transfer("alice", "bob")
    lab.start("submitter", *bugs, submitter_attempts_max=1)
    lab.start("projector")
    await lab.until_quiet()


async def database_that_refuses(
    lab: Lab, bugs: Sequence[str], *, refuse: Change, admit: Change
) -> None:
    """PostgreSQL does not take a command; its client asks again until it does."""
    await lab.start_ledger()
    await lab.bootstrap("alice")
    async with open_edge(lab, *bugs) as edge:
        assert await edge.mint("alice", key="before") is not None
        await refuse(lab)
        is_accepted = await edge.mint("alice", key="asked") is not None
        await admit(lab)
        if not is_accepted:
            await until(partial(_is_accepted, edge), "acceptance")
    lab.start("submitter")
    lab.start("projector")
    await lab.until_quiet()


async def _is_accepted(edge: Edge) -> bool:
    return await edge.mint("alice", key="asked") is not None


async def fill_disk(lab: Lab) -> None:
    """Leave no room for another command."""
    await lab.execute(_NO_ROOM)


async def empty_disk(lab: Lab) -> None:
    """Make room."""
    await lab.execute(_ROOM)


async def close_doors(lab: Lab) -> None:
    """Let nobody in, and end the API's connections."""
    await lab.administer(f"ALTER DATABASE {lab.database} ALLOW_CONNECTIONS false")
    await lab.administer(_END_GUESTS.format(lab.database))


async def open_doors(lab: Lab) -> None:
    """Let everybody in again."""
    await lab.administer(f"ALTER DATABASE {lab.database} ALLOW_CONNECTIONS true")


_END_GUESTS: Final = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
     WHERE application_name LIKE 'gx-api%' AND datname = '{}'
"""
# What PostgreSQL says where a table cannot grow.
_NO_ROOM: Final = """
    CREATE FUNCTION have_no_room() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = '53100';
    END $$;
    CREATE TRIGGER no_room BEFORE INSERT ON commands FOR EACH ROW EXECUTE FUNCTION have_no_room()
"""
_ROOM: Final = """
    DROP TRIGGER IF EXISTS no_room ON commands;
    DROP FUNCTION IF EXISTS have_no_room()
"""
