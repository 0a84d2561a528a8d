"""Several peers: one that is away, silent or behind is not the end of anything."""

import asyncio
from contextlib import aclosing

import grpc
import pytest

from gx.domain.identifiers import BlockNumber
from gx.domain.roles import LedgerRole
from gx.ledger.errors import (
    CorruptBlockError,
    EndorseError,
    LedgerUnavailableError,
    StreamError,
)
from gx.ledger.fabric.client import FabricLedger, FabricOptions
from gx.ledger.fabric.peers import Deadlines
from gx.ledger.fabric.stream import Watch
from gx.ledger.fabric.verify import verify_channel
from gx.ledger.ports import Proposal
from gx.runtime.clock import SystemClock
from tests.conformance.ledger_under_test import blocks_up_to, commit, mint, new_account
from tests.ledger.fabric.certificates import Authority
from tests.ledger.fabric.outcomes import bootstrap
from tests.ledger.fabric.scenes import StandInNetwork
from tests.ledger.fabric.stand_in import Fault, StandInChannel

STATUS = Proposal(
    function="AdminContract:GetSystemStatus", arguments=(), role=LedgerRole.PARTNER_API
)
IMPATIENT = FabricOptions(
    deadlines=Deadlines(evaluate_s=2.0, endorse_s=2.0, submit_s=2.0, query_s=1.0),
    watch=Watch(every_s=0.1, silence_max_s=1.0),
)
MISMATCH = Fault(code=grpc.StatusCode.ABORTED, details=("ProposalResponsePayloads do not match",))


async def test_a_peer_that_is_gone_is_replaced_by_the_next(network: StandInNetwork) -> None:
    """Every kind of call is answered by whoever is there."""
    ledger = network.client()
    await bootstrap(ledger)

    await network.first.stop()

    verdict = await commit(ledger, mint(new_account()))
    assert await ledger.evaluate(STATUS)
    assert (await ledger.chain_info()).height > verdict.block_number
    assert await blocks_up_to(ledger, verdict.block_number, verdict.block_number)


async def test_a_frozen_peer_costs_its_time_out_once(network: StandInNetwork) -> None:
    """After that the others are asked first, until it is given another chance."""
    ledger = network.client(IMPATIENT)
    await bootstrap(ledger)
    network.first.freeze()

    await ledger.evaluate(STATUS)
    asked = network.first.calls["evaluate"]
    await ledger.evaluate(STATUS)

    assert network.first.calls["evaluate"] == asked
    network.first.resume()


async def test_a_stream_of_a_peer_that_freezes_is_broken(network: StandInNetwork) -> None:
    """The connection stays and no error comes; the other peer tells that there is more."""
    ledger = network.client(IMPATIENT)
    first = await bootstrap(ledger)
    async with aclosing(ledger.blocks(BlockNumber(first - 1))) as stream:
        assert (await anext(stream)).number == first - 1
        network.first.freeze()
        await commit(network.client(IMPATIENT), mint(new_account()))

        with pytest.raises(StreamError) as caught:
            async with asyncio.timeout(30):
                await anext(stream)

    assert caught.value.code == "SILENT"
    (again,) = await blocks_up_to(ledger, first, first)
    assert again.number == first
    network.first.resume()


async def test_a_quiet_chain_breaks_no_stream(network: StandInNetwork) -> None:
    """Silence is a fault only where there is something to say."""
    ledger = network.client(IMPATIENT)
    first = await bootstrap(ledger)
    async with aclosing(ledger.blocks(BlockNumber(first))) as stream:
        reading = asyncio.ensure_future(anext(stream))
        await asyncio.wait([reading], timeout=3 * IMPATIENT.watch.silence_max_s)
        assert not reading.done()

        await commit(ledger, mint(new_account()))
        assert (await reading).number == first


async def test_nobody_answers_is_an_outage(network: StandInNetwork) -> None:
    """It costs no command an attempt, and a breaker opens."""
    ledger = network.client(IMPATIENT)
    await network.stop()

    with pytest.raises(LedgerUnavailableError) as caught:
        await ledger.prepare(mint(new_account()))

    assert caught.value.is_transient


async def test_a_certificate_that_our_roots_did_not_sign_is_no_outage(
    network: StandInNetwork,
) -> None:
    """Nobody may stand between us and a peer; and waiting would not mend wrong roots."""
    roots = network.folder / "tls-ca.pem"
    profile = network.profile
    roots.write_bytes(Authority("another").pem)
    ledger = FabricLedger(profile, clock=SystemClock(), options=IMPATIENT)

    with pytest.raises(LedgerUnavailableError) as caught:
        await ledger.chain_info()
    await ledger.close()

    assert caught.value.code == "TLS_FAILED"
    assert not caught.value.is_transient


async def test_endorsers_at_different_heights_are_asked_again(network: StandInNetwork) -> None:
    """Nothing was submitted, and in a moment they agree; each time is counted."""
    reasons: list[str] = []
    ledger = network.client(on_reendorsed=reasons.append)
    await bootstrap(ledger)
    network.channel.faults["endorse"].extend([MISMATCH, MISMATCH])

    verdict = await commit(ledger, mint(new_account()))

    assert verdict.validation_code == "VALID"
    assert reasons == ["PAYLOADS_DIFFER"] * 2


async def test_endorsers_that_never_agree_are_given_up(network: StandInNetwork) -> None:
    """A chaincode that is not deterministic must not be asked for ever."""
    options = FabricOptions(endorsements_max=3, mismatch_delay_s=0.001)
    ledger = network.client(options)
    await bootstrap(ledger)
    network.channel.faults["endorse"].extend([MISMATCH] * 3)

    with pytest.raises(EndorseError) as caught:
        await ledger.prepare(mint(new_account()))

    assert caught.value.code == "PAYLOADS_DIFFER"
    assert not network.channel.faults["endorse"]


async def test_a_gateway_is_not_asked_for_more_than_our_share(network: StandInNetwork) -> None:
    """What is above it waits here, instead of being refused there."""
    ledger = network.client(FabricOptions(calls_max=3))
    await bootstrap(ledger)
    asked = network.first.calls["evaluate"]
    network.first.freeze()
    calls = [asyncio.create_task(ledger.evaluate(STATUS)) for _ in range(12)]
    while network.first.calls["evaluate"] < asked + 3:  # noqa: ASYNC110 (the peer counts, it has no event)
        await asyncio.sleep(0.01)
    await asyncio.sleep(0.1)

    assert network.first.calls["evaluate"] == asked + 3
    network.first.resume()
    await asyncio.gather(*calls)


async def test_a_block_whose_data_was_changed_is_not_delivered(network: StandInNetwork) -> None:
    """The header's hash covers the data: a peer's damaged disk is found out."""
    ledger = network.client()
    verdict = await commit(ledger, mint(new_account())) if await bootstrap(ledger) else None
    assert verdict is not None
    block = network.channel.chain[verdict.block_number]
    block.data.data[0] = block.data.data[0][:-1] + b"\0"

    with pytest.raises(CorruptBlockError):
        await blocks_up_to(ledger, verdict.block_number, verdict.block_number)


async def test_a_block_that_does_not_follow_is_not_delivered(network: StandInNetwork) -> None:
    """Each block names the one before it; another chain's block does not."""
    ledger = network.client()
    first = await bootstrap(ledger)
    await commit(ledger, mint(new_account()))
    network.channel.chain[first].header.previous_hash = bytes(32)

    with pytest.raises(CorruptBlockError):
        await blocks_up_to(ledger, first - 1, first)


async def test_only_this_chaincodes_writes_are_shown(network: StandInNetwork) -> None:
    """A transaction also carries what Fabric's lifecycle reads and writes."""
    ledger = network.client()
    await bootstrap(ledger)
    account = new_account()
    verdict = await commit(ledger, mint(account))

    (block,) = await blocks_up_to(ledger, verdict.block_number, verdict.block_number)

    keys = [write.key for entry in block.transactions for write in entry.writes]
    assert any(account in key for key in keys)
    assert not any("namespaces/" in key for key in keys)


async def test_a_configuration_block_has_no_event_and_no_writes(network: StandInNetwork) -> None:
    """The first block of every channel is one."""
    ledger = network.client()

    (block,) = await blocks_up_to(ledger, 0, 0)

    (entry,) = block.transactions
    assert (entry.event, entry.writes, entry.validation_code) == (None, (), "VALID")


async def test_verifying_reads_the_whole_channel_and_compares_the_peers(
    network: StandInNetwork,
) -> None:
    """Every block is counted with what it wrote, and the newest is the same everywhere."""
    ledger = network.client()
    await bootstrap(ledger)
    account = new_account()
    verdict = await commit(ledger, mint(account))

    report = await verify_channel(ledger, progress=lambda _done, _of: None)

    assert report.difference is None
    assert report.blocks == verdict.block_number + 1
    assert report.keys == len(network.channel.ledger.state)
    assert report.tip_hash == (await blocks_up_to(ledger, 0, verdict.block_number))[-1].hash


async def test_verifying_names_a_damaged_block(network: StandInNetwork) -> None:
    """It stops there and says which, instead of counting on."""
    ledger = network.client()
    first = await bootstrap(ledger)
    await commit(ledger, mint(new_account()))
    network.channel.chain[first].header.data_hash = bytes(32)

    report = await verify_channel(ledger, progress=lambda _done, _of: None)

    assert report.difference is not None
    assert f"block {first} is corrupt" in report.difference


async def test_a_channel_that_was_replaced_is_told_from_the_old_one(
    network: StandInNetwork,
) -> None:
    """Same addresses, same name, another chain: whoever checkpoints on it must see that."""
    ledger = network.client(IMPATIENT)
    first = await bootstrap(ledger)
    before = await ledger.chain_info()
    other = StandInChannel(created_at_s=1_600_000_000)

    following = asyncio.ensure_future(blocks_up_to(ledger, first, first))
    await asyncio.sleep(0.2)
    await network.stop()
    network.channel = network.first.channel = network.second.channel = other
    with pytest.raises((StreamError, LedgerUnavailableError)):
        await asyncio.wait_for(following, 30)
    await network.start()

    after = await ledger.chain_info()
    assert after.height < before.height
    assert after.genesis_hash != before.genesis_hash
