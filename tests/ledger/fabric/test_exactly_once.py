"""Killed anywhere, answered anyhow: on Fabric each command takes effect exactly once.

The submitter is the real one and talks to peers over TLS; where it dies is decided by the peers.
"""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from itertools import chain
from pathlib import Path

import grpc
import pytest
from fabric_protos.peer.transaction_pb2 import TxValidationCode

from gx.domain.batches import BATCH_FUNCTION, BatchItem, encode_items
from gx.domain.identifiers import CommandId
from gx.domain.roles import LedgerRole
from gx.ledger.ports import Proposal
from gx.outbox.ports import CommandStatus, NewCommand
from gx.runtime.clock import SystemClock
from tests.conformance.ledger_under_test import commit, mint
from tests.conformance.outbox.worlds import OutboxWorld, memory_world, postgres_world
from tests.ledger.fabric.certificates import FAR_FUTURE, write_pair
from tests.ledger.fabric.crashing import PATIENT, die_at_every_point
from tests.ledger.fabric.outcomes import assert_each_once, bootstrap
from tests.ledger.fabric.scenes import StandInNetwork
from tests.ledger.fabric.stand_in import Fault
from tests.outbox.builders import eventually
from tests.outbox.processes import SubmitterProcess
from tests.outbox.scenes import a_mint, accept, wait_for

ROOT = Path(__file__).parents[3]


@pytest.fixture
async def world() -> OutboxWorld:
    """An empty outbox in memory."""
    return memory_world(SystemClock())


async def test_a_crash_at_any_point_of_the_process_leaves_one_effect(
    network: StandInNetwork, world: OutboxWorld
) -> None:
    """Before and after each of its steps: a successor finishes what was begun, nothing twice."""
    ledger = network.client()
    first = await bootstrap(ledger)
    ids = await die_at_every_point(network.client, world, name="p")

    await assert_each_once(ledger, first, ids)
    assert await world.store.live_envelopes() == []


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(
            Fault(
                code=grpc.StatusCode.UNAVAILABLE,
                message="no orderers could successfully process transaction",
                details=("DeadlineExceeded",),
                is_after=True,
            ),
            id="the orderer froze, and ordered it later",
        ),
        pytest.param(
            Fault(
                code=grpc.StatusCode.UNAVAILABLE,
                message="no orderers could successfully process transaction",
                details=("connection refused",),
            ),
            id="the orderer was down",
        ),
        pytest.param(
            Fault(code=grpc.StatusCode.DEADLINE_EXCEEDED, is_after=True),
            id="the answer came too late",
        ),
        pytest.param(
            Fault(
                code=grpc.StatusCode.UNKNOWN,
                message="too many requests for /gateway.Gateway, exceeding concurrency limit",
            ),
            id="the gateway was busy",
        ),
        pytest.param(
            Fault(code=grpc.StatusCode.INTERNAL, message="what nobody foresaw", is_after=True),
            id="an answer that is in no table",
        ),
    ],
)
async def test_an_ambiguous_submission_is_resolved_with_the_same_bytes(
    network: StandInNetwork, world: OutboxWorld, fault: Fault
) -> None:
    """Whether it arrived is found out; it is never endorsed anew before that."""
    ledger = network.client()
    first = await bootstrap(ledger)
    network.channel.faults["submit"].append(fault)
    endorsed = network.first.calls["endorse"]
    ids = await accept(world, *(a_mint(f"a{index}") for index in range(3)))

    submitter = SubmitterProcess(world, network.client(), options=PATIENT)
    await wait_for(world, ids)
    await submitter.finish()

    await assert_each_once(ledger, first, ids)
    assert network.first.calls["endorse"] == endorsed + 1


async def test_an_invalidated_transaction_is_endorsed_anew(
    network: StandInNetwork, world: OutboxWorld
) -> None:
    """So it is after a chaincode's upgrade, which invalidates what was endorsed before it."""
    ledger = network.client()
    first = await bootstrap(ledger)
    network.channel.codes.append(TxValidationCode.MVCC_READ_CONFLICT)
    ids = await accept(world, *(a_mint(f"a{index}") for index in range(3)))

    submitter = SubmitterProcess(world, network.client(), options=PATIENT)
    await wait_for(world, ids)
    await submitter.finish()

    await assert_each_once(ledger, first, ids)
    assert submitter.metrics.reendorsements("MVCC_READ_CONFLICT").read() == 1


async def test_an_envelope_whose_certificate_ended_is_made_anew(
    network: StandInNetwork, world: OutboxWorld
) -> None:
    """No orderer will ever take it, so its commands fly again under the renewed certificate."""
    ledger = network.client()
    first = await bootstrap(ledger)
    expired = Fault(
        code=grpc.StatusCode.ABORTED,
        details=("got unexpected status: BAD_REQUEST -- broadcast client identity expired",),
    )
    network.channel.faults["submit"].append(expired)
    ids = await accept(world, *(a_mint(f"a{index}") for index in range(3)))

    submitter = SubmitterProcess(world, network.client(), options=PATIENT)
    await wait_for(world, ids)
    await submitter.finish()

    await assert_each_once(ledger, first, ids)
    assert submitter.metrics.reendorsements("NOT_FOUND").read() == 1


async def test_a_renewal_strands_no_envelope(network: StandInNetwork, world: OutboxWorld) -> None:
    """What the old certificate signed is submitted as it is; what comes after, by the new one."""
    ledger = network.client()
    first = await bootstrap(ledger)
    before = await accept(world, a_mint("before"))
    dying = SubmitterProcess(world, network.client(), stops_at="before submit", options=PATIENT)
    await asyncio.wait_for(dying.life.stopped.wait(), 30)
    await dying.kill()
    role = LedgerRole.SUPER_ADMIN
    renewed = network.authority.identity(role.value, role, not_after=FAR_FUTURE)
    write_pair(network.folder / "identities", role.value, renewed)
    after = await accept(world, a_mint("after"))

    submitter = SubmitterProcess(world, network.client(), holder="next", options=PATIENT)
    await wait_for(world, [*before, *after])
    await submitter.finish()

    await assert_each_once(ledger, first, [*before, *after])


async def test_a_poisonous_command_leaves_its_batch(
    network: StandInNetwork, world: OutboxWorld
) -> None:
    """A batch that the chaincode fails on is split; only what fails alone is given up."""
    ledger = network.client()
    first = await bootstrap(ledger)
    network.channel.poison = "please crash"
    ids = await accept(world, *(a_mint(f"a{index}") for index in range(6)))
    (poison,) = await accept(world, a_mint("poison", remark="please crash"))

    submitter = SubmitterProcess(world, network.client(), options=PATIENT)
    await wait_for(world, [poison], CommandStatus.DEAD)
    await wait_for(world, ids)
    await submitter.finish()

    await assert_each_once(ledger, first, ids)


async def test_a_batch_that_no_orderer_takes_is_split_until_one_does(
    network: StandInNetwork, world: OutboxWorld
) -> None:
    """A channel's limit is the operator's to choose; what is too large together fits apart."""
    ledger = network.client()
    first = await bootstrap(ledger)
    small = (await ledger.prepare(batch_of_mints(1))).content
    network.channel.bytes_max = len(small) + 1_500
    ids = await accept(world, *(a_mint(f"a{index}") for index in range(8)))

    submitter = SubmitterProcess(world, network.client(), options=PATIENT)
    await wait_for(world, ids)
    await submitter.finish()

    await assert_each_once(ledger, first, ids)
    assert await world.letters.list_dead(limit=10, after=None) == []


async def test_orderers_that_are_away_cost_no_command_an_attempt(
    network: StandInNetwork, world: OutboxWorld
) -> None:
    """However long it takes: the bytes wait, and are submitted again until one takes them."""
    ledger = network.client()
    first = await bootstrap(ledger)
    down = Fault(
        code=grpc.StatusCode.UNAVAILABLE,
        message="no orderers could successfully process transaction",
        details=("connection refused",),
    )
    network.channel.faults["submit"].extend([down] * 25)
    ids = await accept(world, *(a_mint(f"a{index}") for index in range(3)))

    submitter = SubmitterProcess(world, network.client(), options=PATIENT)
    await wait_for(world, ids)
    await submitter.finish()

    await assert_each_once(ledger, first, ids)
    assert [view.attempts for view in await world.reader.find_many(ids)] == [0, 0, 0]


async def test_batches_that_share_no_account_fly_together(
    network: StandInNetwork, world: OutboxWorld
) -> None:
    """Several transactions wait for the orderer at once, and none invalidates another."""
    ledger = network.client()
    pairs = [(f"payer{index}", f"payee{index}") for index in range(24)]
    await bootstrap(ledger)
    for account in chain.from_iterable(pairs):
        await commit(ledger, mint(account, 1_000_000))
    first = (await ledger.chain_info()).height
    network.channel.ordering.clear()
    ids = await accept(world, *(a_transfer(*pair) for pair in pairs))

    submitter = SubmitterProcess(
        world, network.client(), options=replace(PATIENT, in_flight_max=3, verdict_timeout_s=60.0)
    )
    await eventually(lambda: network.channel.waiting == 3)
    network.channel.ordering.set()
    await wait_for(world, ids)
    await submitter.finish()

    await assert_each_once(ledger, first, ids)
    assert submitter.metrics.reendorsements("MVCC_READ_CONFLICT").read() == 0


async def test_a_chaincode_without_batches_gets_single_commands(
    network: StandInNetwork, world: OutboxWorld
) -> None:
    """One that knows only its own functions says so once; then each command flies alone."""
    ledger = network.client()
    first = await bootstrap(ledger)
    network.channel.batches = False
    ids = await accept(world, *(a_mint(f"a{index}") for index in range(6)))

    submitter = SubmitterProcess(world, network.client(), options=PATIENT)
    await wait_for(world, ids)
    await submitter.finish()

    views = await world.reader.find_many(ids)
    assert len({view.transaction_id for view in views}) == len(ids)
    height = (await ledger.chain_info()).height
    assert height > first


def batch_of_mints(count: int) -> Proposal:
    """Propose what a submitter would for so many mints."""
    items = tuple(
        BatchItem(
            command_id=CommandId(f"00000000-0000-7000-8000-{index:012x}"),
            key=f"{index:064x}",
            function="TokenomicsContract:Mint",
            args=(f"a{index}", "5", "for the test"),
            actor="root",
        )
        for index in range(count)
    )
    arguments = (encode_items(items),)
    return Proposal(function=BATCH_FUNCTION, arguments=arguments, role=LedgerRole.SUPER_ADMIN)


def a_transfer(source: str, target: str) -> NewCommand:
    """Build a payment that conflicts only with those of the two accounts."""
    return NewCommand(
        command_type="TRANSFER_TOKENS",
        arguments={"fromId": source, "toId": target, "amount": "5", "remark": "for the test"},
        actor=source,
        subject=f"{source}@issuer",
        role=LedgerRole.PARTNER_API,
        scopes=frozenset({f"account:{source}", f"account:{target}"}),
        fingerprint="f1",
    )


# ---------------------------------------------------------------- killed with SIGKILL


@pytest.mark.slow
@pytest.mark.timeout(180)
@pytest.mark.parametrize("moment", ["endorse", "submit", "submitted", "block"])
async def test_kill_9_at_any_moment_of_the_conversation_leaves_one_effect(
    network: StandInNetwork, database_dsn: str, moment: str
) -> None:
    """`gx outbox submit` dies while a peer endorses, before and after it orders, at the verdict."""
    ledger = network.client()
    first = await bootstrap(ledger)
    async with postgres_world(database_dsn) as world:
        ids = await accept(world, *(a_mint(f"a{index}") for index in range(20)))
        async with submitter_process(network, database_dsn) as dying:
            died = asyncio.Event()

            async def kill(now: str) -> None:
                if now == moment and not died.is_set():
                    dying.kill()
                    died.set()
                    await asyncio.sleep(3_600)  # until the server sees that the client is gone

            network.first.hook = kill
            await asyncio.wait_for(died.wait(), 60)
            await dying.wait()
        assert dying.returncode == -signal.SIGKILL

        async with submitter_process(network, database_dsn):
            await wait_for(world, ids, timeout_s=60)

        assert await world.store.live_envelopes() == []
    await assert_each_once(ledger, first, ids)


@contextlib.asynccontextmanager
async def submitter_process(
    network: StandInNetwork, dsn: str
) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run `gx outbox submit` against the network."""
    profile = network.folder / "profile.json"
    profile.write_bytes(network.profile.encode())
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "gx.cli.main", "outbox", "submit"),
        cwd=network.folder,
        env={
            **os.environ,  # noqa: TID251 (a test passes its environment on)
            "PYTHONPATH": str(ROOT / "src"),
            "GX_LEDGER": "fabric",
            "GX_FABRIC_PROFILE": str(profile),
            "GX_DATABASE_DSN": dsn,
            "GX_SUBMITTER_METRICS_PORT": "0",
            "GX_SUBMITTER_LEASE_S": "1",
            "GX_SUBMITTER_VERDICT_TIMEOUT_S": "2",
        },
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()
