"""What monitoring makes of a real Fabric network: its metrics, its dashboards, its alerts.

One system on one network for all of it, scraped every second. Faults are real: nodes are frozen
and killed, identities are strangers, transactions conflict. An alert's rule must become true of
what has the fault, and of nothing any more once the fault is gone; how long it then waits before
it fires is the rule's own affair.
"""

import asyncio
import datetime as dt
import signal
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from typing import Final

import pytest
import pytest_asyncio

from gx.domain.roles import LedgerRole
from gx.ledger.errors import EndorseError, LedgerError
from gx.ledger.fabric.client import FabricLedger, FabricOptions
from gx.ledger.fabric.failures import Cause
from gx.ledger.fabric.peers import Deadlines
from gx.ledger.fabric.profile import load_profile
from gx.monitoring.alerts import fabric
from gx.monitoring.alerts.companions import CERTIFICATE_EXPIRING, CERTIFICATE_NEARLY_EXPIRED
from gx.monitoring.dashboards.every import FABRIC_DASHBOARDS
from gx.monitoring.dashboards.live import find_empty_panels
from gx.monitoring.exporters.fabric import FABRIC_METRICS, PEER_HEIGHT
from gx.monitoring.exporters.names import Exporter
from gx.monitoring.live import PrometheusError
from gx.monitoring.scrape import LEDGER_NAMESPACE
from gx.runtime.clock import SystemClock
from gx.telemetry.metric import Condition
from tests.conformance.ledger_under_test import mint, new_account, settled
from tests.end_to_end.loop import LoopFailedError, running_loop, traffic
from tests.fabric.issuing import authority_of, identity_in, issue
from tests.fabric.native import PORTS
from tests.fabric.programs import path_with, require_programs
from tests.monitoring.fabric_nodes import WITHIN_S, Watched, declared, expositions
from tests.ports import free_port

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(600),
    pytest.mark.xdist_group("on-a-fabric-network"),
    pytest.mark.asyncio(loop_scope="module"),
]

NODES: Final = {Exporter.ORDERER: ("ORDERER",), Exporter.PEER: ("PEER1", "PEER2")}
MANY: Final = 14
"""Blocks, conflicts, failures: more than any threshold."""

IMPATIENT: Final = FabricOptions(
    deadlines=Deadlines(evaluate_s=5.0, endorse_s=8.0, submit_s=10.0, query_s=5.0)
)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def watched() -> AsyncIterator[Watched]:
    """The whole system on a network of Fabric's own nodes, with its Prometheus."""
    environment = {
        "GX_STACK_SCRAPE_INTERVAL_S": "1",
        "PATH": path_with(require_programs()),
        **{f"GX_FABRIC_NETWORK_{name}": str(free_port()) for name in PORTS},
    }
    async with running_loop("--ledger", "fabric", environment=environment) as loop:
        profile = load_profile(loop.folder / "fabric" / "profile.json")
        ledger = FabricLedger(profile, clock=SystemClock(), options=IMPATIENT)
        try:
            yield Watched(loop, ledger)
        finally:
            await ledger.close()


async def test_every_panel_has_data_under_traffic(watched: Watched) -> None:
    """Of the three dashboards, on a network that works; nor is a metric of ours without data."""
    async with traffic(watched.loop, rate_per_s=20):
        await _until_every_panel_has_data(watched.prometheus_url)
        await _until_every_metric_has_data(watched)


async def _until_every_panel_has_data(url: str) -> None:
    lacking: tuple[str, ...] = ("Prometheus has not started",)
    give_up_s = time.monotonic() + WITHIN_S
    while lacking and time.monotonic() < give_up_s:
        await asyncio.sleep(0.5)
        with suppress(PrometheusError):
            lacking = await asyncio.to_thread(
                find_empty_panels,
                url,
                FABRIC_DASHBOARDS,
                namespace=LEDGER_NAMESPACE,
                is_busy=True,
                conditions={Condition.FABRIC},
            )
    assert lacking == ()


async def _until_every_metric_has_data(watched: Watched) -> None:
    """Ask as operators do, of the chaincode's process, too."""
    give_up_s = time.monotonic() + WITHIN_S
    while True:
        try:
            text = await watched.loop.gx("monitoring", "metrics", "--live", "--json")
        except LoopFailedError:
            if time.monotonic() > give_up_s:
                raise
            await asyncio.sleep(1)
            continue
        assert '"chaincode_streams"' in text
        return


async def test_nodes_expose_what_is_declared_of_them(watched: Watched, tmp_path: Path) -> None:
    """Each name, type and label, of the counters that begin with a failure, too."""
    call = mint(new_account(), role=LedgerRole.PARTNER_API)
    with pytest.raises(EndorseError) as refused:
        await watched.ledger.prepare(call)
    of_orderers = authority_of(watched.fabric, "ordererOrganizations/gx.local")
    may_not = issue(of_orderers, identity_in(tmp_path / "orderers", "OrdererMSP"))
    stranger = issue(of_orderers, identity_in(tmp_path / "stranger", "Org1MSP"))

    assert refused.value.refusal is not None
    assert (await watched.refused_as(may_not, call)).code == Cause.ACCESS_DENIED
    assert (await watched.refused_as(stranger, call)).code == Cause.ACCESS_DENIED
    for exporter, nodes in NODES.items():
        exposed = await expositions(watched.operations_port(node) for node in nodes)
        ours = [metric for metric in FABRIC_METRICS if metric.exporter == exporter]
        assert {metric.name: exposed.get(metric.name) for metric in ours} == {
            metric.name: declared(metric) for metric in ours
        }


async def test_a_refusal_is_counted_and_is_no_failure(watched: Watched) -> None:
    """The peer counts it as the chaincode's, so the alert takes it off; the gateway as Aborted."""
    call = mint(new_account(), role=LedgerRole.PARTNER_API)
    refusals = 'endorser_endorsement_failures{chaincodeerror="true",chaincode="gxtv3"}'
    failures = 'endorser_proposal_duration_count{success="false",chaincode="gxtv3"}'
    of_gateway = 'exported_service="gateway_Gateway",method="Endorse"'
    aborted = f'grpc_server_unary_request_duration_count{{{of_gateway},code="Aborted"}}'
    counters = (refusals, failures, aborted)
    before = [(await watched.ask(f"sum({each}) or vector(0)"))[""] for each in counters]

    for _ in range(MANY):
        with pytest.raises(EndorseError):
            await watched.ledger.prepare(call)

    for each, had in zip(counters, before, strict=True):
        await watched.until(f"sum({each}) == {had + MANY}")


async def test_a_peer_that_hangs_falls_behind(watched: Watched) -> None:
    """It answers no scrape; its last height is compared with the orderer's, and then its own."""
    name, peer = fabric.PEER_BEHIND.name, watched.instance("PEER2")
    envelope = await watched.ledger.prepare(mint(new_account()))
    await watched.until(f'{PEER_HEIGHT.name}{{instance="{peer}"}}')

    async with watched.frozen("peer-org2"), asyncio.timeout(WITHIN_S):
        while not await watched.is_true(name, instance=peer):
            await watched.ledger.submit(envelope)  # each copy is ordered, and changes nothing
            await asyncio.sleep(0.1)
        assert not await watched.is_true(name, instance=watched.instance("PEER1"))

    await watched.until_alert(name, is_true=False)


async def test_without_an_orderer_nobody_leads(watched: Watched) -> None:
    """One that hangs is seen while it does; one that was killed until it leads again."""
    name = fabric.NO_LEADER.name
    async with watched.frozen("orderer"):
        await watched.until_alert(name, is_true=True)
    await watched.until_alert(name, is_true=False)
    killed_s = SystemClock().now_ms() / 1_000

    assert watched.loop.send("orderer", signal.SIGKILL)

    since = f"[{WITHIN_S:.0f}s:1s]"
    true_at = f"max_over_time(timestamp({fabric.NO_LEADER.expr.text}){since})"
    await watched.until(f"max({true_at}) > {killed_s}")
    await watched.until_alert(name, is_true=False)
    await _until_commands_go_through(watched)


async def test_conflicts_make_transactions_invalid(watched: Watched) -> None:
    """Endorsed together, ordered one after another: all but one are stale, and one is a copy."""
    async with asyncio.timeout(WITHIN_S):
        while not await watched.is_true(fabric.TRANSACTIONS_ARE_INVALID.name):
            await _conflict(watched.ledger)
    for code in ("VALID", "MVCC_READ_CONFLICT", "DUPLICATE_TXID"):
        await watched.until(f'ledger_transaction_count{{validation_code="{code}"}} > 0')


async def _conflict(ledger: FabricLedger) -> None:
    call = mint(new_account())
    envelopes = await asyncio.gather(*(ledger.prepare(call) for _ in range(MANY)))
    for envelope in (*envelopes, envelopes[0]):
        await ledger.submit(envelope)
    codes = [(await settled(ledger, each.transaction_id)).validation_code for each in envelopes]
    assert "MVCC_READ_CONFLICT" in codes


async def test_a_chaincode_that_hangs_fails_endorsements(watched: Watched) -> None:
    """Each proposal fails when the peer gives the chaincode up, and counts against that peer."""
    name = fabric.ENDORSEMENTS_FAIL.name
    async with watched.frozen("chaincode-a"), asyncio.timeout(WITHIN_S):
        while not await watched.is_true(name, instance=watched.instance("PEER1")):
            calls = (watched.ledger.prepare(mint(new_account())) for _ in range(MANY))
            answers = await asyncio.gather(*calls, return_exceptions=True)
            assert all(isinstance(answer, LedgerError) for answer in answers)
    await _until_commands_go_through(watched)


async def _until_commands_go_through(watched: Watched) -> None:
    give_up_s = time.monotonic() + WITHIN_S
    while True:
        try:
            await watched.loop.gx("smoke")
        except LoopFailedError:
            if time.monotonic() > give_up_s:
                raise
            await asyncio.sleep(1)
        else:
            return


async def test_a_certificates_end_is_told_and_its_renewal_seen(watched: Watched) -> None:
    """Five days before; the new one is taken without a restart, and commands go on throughout."""
    files = load_profile(watched.fabric / "profile.json").identities[LedgerRole.PARTNER_API]
    authority = authority_of(watched.fabric, "peerOrganizations/org1.gx.local")
    now_s = SystemClock().now_ms() / 1_000
    ends = dt.datetime.fromtimestamp(now_s, dt.UTC) + dt.timedelta(days=5)
    restarts = watched.loop.restarts()

    async with traffic(watched.loop, rate_per_s=5):
        issue(authority, files, ends=ends)
        for alert in (CERTIFICATE_EXPIRING, CERTIFICATE_NEARLY_EXPIRED):
            await watched.until_alert(alert.name, is_true=True, identity=LedgerRole.PARTNER_API)
        issue(authority, files)
        for alert in (CERTIFICATE_EXPIRING, CERTIFICATE_NEARLY_EXPIRED):
            await watched.until_alert(alert.name, is_true=False)

    assert watched.loop.restarts() == restarts
    await _until_commands_go_through(watched)
