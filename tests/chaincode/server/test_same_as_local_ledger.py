"""One chaincode, two hosts: a Fabric peer gets byte for byte what the local ledger records."""

import re
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from gx.chaincode.server.identities import CallerReader
from gx.contracts.chaincode import build_executor
from gx.domain.batches import BATCH_FUNCTION, BatchItem, encode_items
from gx.domain.catalogue import (
    BOOTSTRAP_SYSTEM,
    CREATE_USER,
    FUNCTIONS,
    INITIALIZE_COUNTRY_DATA,
    MINT_COINS,
)
from gx.domain.codec import decode_object, encode
from gx.domain.refusals import RefusedError
from gx.domain.roles import LedgerRole
from gx.domain.world_state import COMMAND_PREFIX
from gx.ledger.errors import EndorseError, EvaluateError
from gx.ledger.local.client import LocalLedger
from gx.ledger.local.content import Content, creator_of, decode_content
from gx.ledger.local.server import LedgerServer, ServeOptions
from gx.ledger.ports import Envelope, Proposal, ValidationCode
from gx.runtime.clock import SystemClock
from gx.telemetry.families import MetricsRegistry
from gx.telemetry.instruments import build_ledger_metrics
from tests.chaincode.server.creators import a_creator
from tests.chaincode.server.peer_double import PeerDouble, Simulation, a_transaction
from tests.chaincode.server.served import serving
from tests.contracts.contract_ledger import COUNTRIES, a_command, a_hash, coins
from tests.contracts.random_commands import BATCHES, CALLS, Call, RoledCalls, item_maker

EXAMPLES: Final = 12
# Two servers a try: looking for the smallest counter-example would take minutes.
NO_SHRINKING: Final = (Phase.explicit, Phase.reuse, Phase.generate)
_ENVELOPE_HEADER_BYTES: Final = 36


@dataclass(frozen=True)
class Recorded:
    """What a host made of a call, in the same form for both."""

    transaction_id: str
    reads: list[str]
    writes: list[tuple[str, str | None]]
    event: tuple[str, str] | None
    result: str


@dataclass(frozen=True)
class BothHosts:
    """A local ledger and two peers, in step."""

    ledger: LocalLedger
    peers: tuple[PeerDouble, PeerDouble]

    async def carry_out(self, function: str, args: tuple[str, ...], role: LedgerRole) -> None:
        """Execute on all of them, compare, and commit everywhere."""
        proposal = Proposal(function=function, arguments=args, role=role)
        try:
            envelope = await self.ledger.prepare(proposal)
        except EndorseError as error:
            if error.refusal is None:
                raise
            await self._expect_refusal(proposal, error.refusal)
            return
        content = decode_content(envelope.content[_ENVELOPE_HEADER_BYTES:])
        first, second = [await self._simulate(peer, proposal, content) for peer in self.peers]
        assert first.endorsed() == second.endorsed()
        assert anonymous(by_peer(first), role) == anonymous(by_ledger(content, envelope), role)
        await self.ledger.submit(envelope)
        verdict = await self.ledger.verdict(envelope.transaction_id)
        assert verdict is not None
        assert verdict.validation_code is ValidationCode.VALID
        for peer in self.peers:
            peer.commit(first, timestamp_s=content.timestamp_ms // 1000)

    async def batch(self, items: Sequence[BatchItem], role: LedgerRole) -> None:
        """Carry out one batch."""
        await self.carry_out(BATCH_FUNCTION, (encode_items(tuple(items)),), role)

    async def evaluate(self, function: str, args: tuple[str, ...]) -> None:
        """Ask all of them, and compare."""
        role = LedgerRole.PARTNER_API
        proposal = Proposal(function=function, arguments=args, role=role)
        try:
            local = await self.ledger.evaluate(proposal)
        except EvaluateError as error:
            if error.refusal is None:
                raise
            await self._expect_refusal(proposal, error.refusal)
            return
        for peer in self.peers:
            done = await peer.call(function, *args, role=role)
            assert (done.writes, done.event) == ({}, None)
            assert timeless(done.response.payload.decode()) == timeless(local)

    async def _expect_refusal(self, proposal: Proposal, refusal: RefusedError) -> None:
        for peer in self.peers:
            done = await peer.call(proposal.function, *proposal.arguments, role=proposal.role)
            message = under_local_name(done.response.message, proposal.role)
            told = f"{refusal.code}: {refusal.detail}"
            assert (done.response.status, timeless(message)) == (400, timeless(told))
            assert (done.writes, done.event) == ({}, None)

    async def _simulate(self, peer: PeerDouble, proposal: Proposal, content: Content) -> Simulation:
        """Have a peer execute the very transaction that the local ledger made."""
        message = a_transaction(
            content.transaction_id,
            proposal.function,
            *proposal.arguments,
            creator=a_creator(proposal.role),
            timestamp_s=content.timestamp_ms // 1000,
        )
        return await peer.execute(message)


def timeless(text: str) -> str:
    """Take the moment out: what is not committed is asked of each host at a time of its own."""
    return re.sub(r"\b1[67][0-9]{8}\b", "<now>", text)


def by_ledger(content: Content, envelope: Envelope) -> Recorded:
    """Read what the local ledger recorded."""
    event = content.decode_event()
    return Recorded(
        transaction_id=content.transaction_id,
        reads=list(dict.fromkeys(content.read_keys)),
        writes=list(content.writes().items()),
        event=None if event is None else (event.name, event.payload),
        result=envelope.result,
    )


def by_peer(simulation: Simulation) -> Recorded:
    """Read what a peer was told."""
    assert simulation.response.status == 200, simulation.response
    writes = simulation.writes.items()
    event = simulation.event
    return Recorded(
        transaction_id=simulation.transaction_id,
        reads=list(dict.fromkeys(simulation.reads)),
        writes=[(key, None if value is None else value.decode()) for key, value in writes],
        event=None if event is None else (event[0], event[1].decode()),
        result=simulation.response.payload.decode(),
    )


def anonymous(recorded: Recorded, role: LedgerRole) -> Recorded:
    """Leave out who signed: a role here, a certificate there. A request's hash covers it."""
    writes: list[tuple[str, str | None]] = []
    for key, value in recorded.writes:
        text = None if value is None else under_local_name(value, role)
        if text is not None and key == COMMAND_PREFIX + recorded.transaction_id:
            text = encode(decode_object(text) | {"requestHash": ""})
        writes.append((key, text))
    return replace(recorded, writes=writes)


def under_local_name(text: str, role: LedgerRole) -> str:
    """Call the signer of a certificate as the local ledger does."""
    return text.replace(CallerReader().read(a_creator(role)).identity, creator_of(role))


@asynccontextmanager
async def both_hosts() -> AsyncIterator[BothHosts]:
    """Serve the contracts on both, with a small world in which commands meet often."""
    execute = build_executor().execute
    with tempfile.TemporaryDirectory(prefix="gx-") as folder:
        options = ServeOptions(folder=Path(folder), socket=Path(folder) / "s")
        metrics = build_ledger_metrics(MetricsRegistry(), functions=())
        server = LedgerServer(options, execute=execute, clock=SystemClock(), metrics=metrics)
        async with AsyncExitStack() as stack:
            await server.start()
            stack.push_async_callback(server.close)
            ledger = LocalLedger(options.socket)
            stack.push_async_callback(ledger.close)
            served = await stack.enter_async_context(serving(execute))
            first = await stack.enter_async_context(PeerDouble().connected(served.channel))
            second = await stack.enter_async_context(PeerDouble().connected(served.channel))
            hosts = BothHosts(ledger, (first, second))
            await populate(hosts)
            yield hosts


async def populate(hosts: BothHosts) -> None:
    """Bootstrap, open countries, register people, and give them coins."""
    names = ("alice", "bob", "carol")
    await hosts.batch(
        [
            a_command(BOOTSTRAP_SYSTEM, name="bootstrap"),
            a_command(INITIALIZE_COUNTRY_DATA, COUNTRIES, name="countries"),
        ],
        LedgerRole.SUPER_ADMIN,
    )
    await hosts.batch(
        [
            a_command(CREATE_USER, name, a_hash(100 + seed), "US", "30", name=f"create-{name}")
            for seed, name in enumerate(names)
        ],
        LedgerRole.PARTNER_API,
    )
    await hosts.batch(
        [
            a_command(MINT_COINS, name, coins(1_000), "x", name=f"mint-{name}")
            for name in (*names, "wallet", "treasury_US")
        ],
        LedgerRole.SUPER_ADMIN,
    )


DIRECT = st.lists(
    st.sampled_from(LedgerRole).flatmap(lambda role: st.tuples(st.just(role), CALLS[role])),
    max_size=6,
)


@settings(max_examples=EXAMPLES, phases=NO_SHRINKING)
@given(batches=BATCHES, direct=DIRECT)
async def test_a_peer_gets_what_the_local_ledger_records(
    batches: list[RoledCalls], direct: list[tuple[LedgerRole, Call]]
) -> None:
    """Reads, writes in their order, event and answer of any commands, batched or called alone;
    and two endorsers get the same.
    """  # noqa: D205 (one sentence)
    async with both_hosts() as hosts:
        make = item_maker()
        for role, calls in batches:
            await hosts.batch([make(call) for call in calls], role)
        for role, (spec, args, _) in direct:
            await hosts.carry_out(spec.function, args, role)


@pytest.mark.parametrize("function", sorted(FUNCTIONS))
async def test_queries_answer_alike(function: str) -> None:
    """Every reading function gives the same answer or the same refusal on both hosts."""
    given = {"accountId": "alice", "userId": "alice"}
    args = tuple(
        given.get(argument.name, str(argument.example))
        for argument in FUNCTIONS[function].arguments
    )
    async with both_hosts() as hosts:
        await hosts.evaluate(function, args)


async def test_fabrics_own_command_line_mints() -> None:
    """Plain text arguments, signed by a super admin: the words of Fabric's own documentation."""
    async with both_hosts() as hosts:
        await hosts.carry_out(
            "TokenomicsContract:Mint",
            ("SYSTEM_USER_GENESIS_POOL", "50000000000000000", "Bootstrap: User genesis pool"),
            LedgerRole.SUPER_ADMIN,
        )
        await hosts.carry_out("AdminContract:BootstrapSystem", (), LedgerRole.SUPER_ADMIN)
        minted = await hosts.peers[0].call("TokenomicsContract:GetSupplyStatus")

    assert minted.response.status == 200
