"""Scenes in which something does not arrive between two processes, or arrives late."""

import signal
from collections.abc import Callable, Sequence
from functools import partial
from typing import Final

import asyncpg

from tests.chaos.edge import open_edge
from tests.chaos.lab import Lab, until
from tests.chaos.nursery import Child
from tests.chaos.proxy import Proxy, Toxics

Hurt = Callable[[Proxy, Child], None]
"""Makes a fault between the submitter and the ledger; the proxy's healing ends it."""

A_BLOCK_BYTES: Final = 1_000
"""More than the projector's questions after the chain's height: what has gone is a block."""

_SUBMITTERS: Final = """
    FROM pg_stat_activity WHERE application_name LIKE 'gx-outbox-submitter%' AND datname = '{}'
"""


async def verdict_that_stays_away(lab: Lab, bugs: Sequence[str], *, hurt: Hurt) -> None:
    """A submitter gets no answer to what it submitted, which arrives or has arrived."""
    ledger = await lab.start_ledger()
    await lab.bootstrap("alice", "bob")
    await lab.transfer("alice", "bob")
    async with lab.link_to_ledger() as link:
        submitter = lab.start(
            "submitter",
            *bugs,
            "before-submit=SIGSTOP",
            ledger_socket=lab.link,
            ledger_prepare_timeout_s=1,
            ledger_submit_timeout_s=1,
        )
        await until(submitter.is_stopped, "submitter that is about to submit")
        hurt(link, ledger)
        submitter.resume()
        await until(
            lambda: submitter.says("transaction_unresolved"), "submitter that waits for a verdict"
        )
        if bugs:
            await until(lambda: submitter.says("transaction_abandoned"), "abandoned transaction")
        link.heal()
        ledger.resume()
        lab.start("projector")
        await lab.until_quiet()


def freeze_ledger(_: Proxy, ledger: Child) -> None:
    """Let the ledger stand still; it goes on when the link is healed."""
    ledger.send(signal.SIGSTOP)


def spoil(toxics: Toxics) -> Hurt:
    """Spoil the link."""
    return lambda link, _: link.spoil(toxics)


async def answer_that_is_not_taken(lab: Lab, bugs: Sequence[str]) -> None:
    """The connection breaks under the statement that settles; the database takes nothing."""
    await lab.start_ledger()
    await lab.bootstrap("alice", "bob")
    await lab.transfer("alice", "bob")
    holder = await asyncpg.connect(lab.dsn)
    try:
        async with holder.transaction():
            await holder.execute("LOCK TABLE command_results IN EXCLUSIVE MODE")
            submitter = lab.start("submitter", *bugs)
            await until(partial(_is_settling, lab), "statement that settles")
            await _cut_connections(lab)
            said = ("outbox_write_delayed", "outbox_write_given_up")
            await until(lambda: any(map(submitter.says, said)), "word of the broken connection")
    finally:
        await holder.close()
    lab.start("projector")
    await lab.until_quiet(gives_up=bool(bugs))


async def _cut_connections(lab: Lab) -> None:
    """End the submitter's connections."""
    await lab.administer(f"SELECT pg_terminate_backend(pid) {_SUBMITTERS.format(lab.database)}")


async def _is_settling(lab: Lab) -> bool:
    waits = "AND wait_event_type = 'Lock' AND query LIKE '%settle_commands%'"
    return bool(await lab.ask(f"SELECT count(*) {_SUBMITTERS.format(lab.database)} {waits}"))


async def request_that_is_lost(lab: Lab, bugs: Sequence[str]) -> None:
    """What settles a command is swallowed on its way to the database."""
    await lab.start_ledger()
    await lab.bootstrap("alice", "bob")
    await lab.transfer("alice", "bob")
    async with lab.link_to_database() as (link, dsn):
        submitter = lab.start("submitter", *bugs, "before-settle=SIGSTOP", database_dsn=dsn)
        await until(submitter.is_stopped, "submitter that is about to settle")
        link.spoil(Toxics(lost_requests=1.0))
        submitter.resume()
        said = ("outbox_write_delayed", "outbox_write_given_up")
        await until(lambda: any(map(submitter.says, said)), "word of the lost request")
        link.heal()
        lab.start("projector")
        await lab.until_quiet(gives_up=bool(bugs))


async def stream_that_breaks(lab: Lab, bugs: Sequence[str], *, toxics: Toxics) -> None:
    """A projector's stream of blocks ends, and can be had again."""
    await lab.start_ledger()
    await lab.bootstrap("alice", "bob")
    lab.start("submitter")
    async with lab.link_to_ledger() as link:
        projector = lab.start("projector", *bugs, ledger_socket=lab.link)
        await lab.until_quiet()
        link.spoil(toxics)
        if toxics.is_black_hole:
            await lab.until_settled(await lab.transfer("alice", "bob"))
            await until(lambda: link.passed.swallowed_bytes > A_BLOCK_BYTES, "swallowed block")
        else:
            link.cut()
        link.heal()
        said = ("projection_interrupted", "stream_given_up")
        await until(lambda: any(map(projector.says, said)), "word of the broken stream")
        await lab.until_settled(await lab.transfer("alice", "bob"))
        await lab.until_quiet(gives_up=bool(bugs))


async def reader_that_is_slow(lab: Lab, bugs: Sequence[str]) -> None:
    """Blocks come faster than a projector takes them."""
    ledger = await lab.start_ledger(*bugs)
    await lab.bootstrap("alice", "bob")
    lab.start("submitter", submitter_batch_commands_max=100)
    for _ in range(15):
        await lab.transfers("alice", "bob", count=100)
    await lab.until_settled()
    async with lab.link_to_ledger() as link:
        link.spoil(Toxics(bytes_per_s=64_000))
        lab.start("projector", *bugs, ledger_socket=lab.link)
        full = (
            partial(ledger.says, "block_skipped") if bugs else lambda: link.passed.connections > 0
        )
        await until(full, "stream that is full")
        link.heal()
        await lab.until_quiet()


async def answer_that_is_lost(lab: Lab, bugs: Sequence[str]) -> None:
    """A client never hears that its command was accepted, and asks again."""
    await lab.start_ledger()
    await lab.bootstrap("alice")
    async with open_edge(lab) as edge:
        edge.link.spoil(Toxics(lost_answers=1.0))
        assert await edge.mint("alice", key="asked") is None
        edge.link.heal()
        again = "asked-anew" if bugs else "asked"
        assert await edge.mint("alice", key=again) is not None
    lab.start("submitter")
    lab.start("projector")
    await lab.until_quiet()
