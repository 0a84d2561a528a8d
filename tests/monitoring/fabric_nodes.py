"""The nodes of a real Fabric network as monitoring sees them, and what is done to them."""

import asyncio
import signal
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx
import msgspec
from prometheus_client.parser import text_string_to_metric_families

from gx.ledger.errors import LedgerError
from gx.ledger.fabric.client import FabricLedger
from gx.ledger.fabric.profile import IdentityFiles, load_profile
from gx.ledger.ports import Proposal
from gx.monitoring.exporters.fabric import EXPORTED_SERVICE
from gx.monitoring.selectors import ExternalMetric
from gx.runtime.clock import SystemClock
from tests.end_to_end.loop import Loop

WITHIN_S: Final = 120.0


@dataclass(frozen=True, slots=True)
class Family:
    """A metric as a node exposes it: its type, and the label names that its samples have."""

    kind: str
    labels: frozenset[frozenset[str]]


async def expositions(ports: Iterable[int]) -> dict[str, Family]:
    """Read what some nodes of a kind expose between them, by metric name."""
    found: dict[str, Family] = {}
    async with httpx.AsyncClient(trust_env=False, timeout=30) as client:
        for port in ports:
            text = (await client.get(f"http://127.0.0.1:{port}/metrics")).text
            for name, family in families_in(text).items():
                known = found.get(name, family)
                found[name] = Family(family.kind, known.labels | family.labels)
    return found


def families_in(text: str) -> dict[str, Family]:
    """Read an exposition. The parser cuts `_total` off; names are as the nodes write them."""
    found: dict[str, Family] = {}
    for family in text_string_to_metric_families(text):
        labels = frozenset(frozenset(each.labels) - {"le"} for each in family.samples)
        kind = Family(family.type, labels)
        found[family.name] = kind
        found[f"{family.name}_total"] = kind
    return found


def declared(metric: ExternalMetric) -> Family:
    """Say how a metric must look for its declaration to be true."""
    said = {EXPORTED_SERVICE: "service"}  # until the scrape renames it
    labels = frozenset(said.get(name, name) for name in metric.label_names)
    return Family(metric.kind.value, frozenset({labels}))


class _Alert(msgspec.Struct):
    labels: dict[str, str]
    state: str


class _Alerts(msgspec.Struct):
    alerts: list[_Alert]


class _Sample(msgspec.Struct):
    metric: dict[str, str]
    value: tuple[float, str]


class _Vector(msgspec.Struct):
    result: list[_Sample]


class _AlertsAnswer(msgspec.Struct):
    data: _Alerts


class _VectorAnswer(msgspec.Struct):
    data: _Vector


@dataclass(frozen=True, slots=True)
class Watched:
    """A running system on Fabric, its Prometheus, and a client of its ledger."""

    loop: Loop
    ledger: FabricLedger

    @property
    def prometheus_url(self) -> str:
        """The address of its Prometheus."""
        return f"http://127.0.0.1:{self.loop.environment['GX_STACK_PROMETHEUS_PORT']}"

    @property
    def fabric(self) -> Path:
        """The network's folder."""
        return self.loop.folder / "fabric"

    def operations_port(self, node: str) -> int:
        """Return where a node (ORDERER, PEER1, PEER2) tells its metrics."""
        return int(self.loop.environment[f"GX_FABRIC_NETWORK_{node}_OPERATIONS_PORT"])

    def instance(self, node: str) -> str:
        """Return a node's label `instance`."""
        return f"127.0.0.1:{self.operations_port(node)}"

    async def alerts(self, name: str) -> list[dict[str, str]]:
        """Return the labels of this alert's instances: its rule's expression is true of them."""
        content = await self._get("/api/v1/alerts", {})
        alerts = msgspec.json.decode(content, type=_AlertsAnswer).data.alerts
        return [each.labels for each in alerts if each.labels["alertname"] == name]

    async def ask(self, query: str) -> dict[str, float]:
        """Run a query; its values, by instance or by what its one label says."""
        content = await self._get("/api/v1/query", {"query": query})
        samples = msgspec.json.decode(content, type=_VectorAnswer).data.result
        return {",".join(each.metric.values()): float(each.value[1]) for each in samples}

    async def until(self, query: str) -> None:
        """Wait until a query has an answer."""
        async with asyncio.timeout(WITHIN_S):
            while not await self.ask(query):  # noqa: ASYNC110 (Prometheus has no event to wait for)
                await asyncio.sleep(0.3)

    async def until_alert(self, name: str, *, is_true: bool, **labels: str) -> None:
        """Wait until an alert's rule is true of what has these labels, or of nothing like it."""
        async with asyncio.timeout(WITHIN_S):
            while await self.is_true(name, **labels) != is_true:  # noqa: ASYNC110 (no event either)
                await asyncio.sleep(0.3)

    async def is_true(self, name: str, **labels: str) -> bool:
        """Say whether an alert's rule is true of anything that has these labels."""
        return any(labels.items() <= each.items() for each in await self.alerts(name))

    async def _get(self, path: str, parameters: Mapping[str, str]) -> bytes:
        async with httpx.AsyncClient(
            base_url=self.prometheus_url, trust_env=False, timeout=30
        ) as client:
            return (await client.get(path, params=dict(parameters))).raise_for_status().content

    @asynccontextmanager
    async def frozen(self, name: str) -> AsyncIterator[None]:
        """Freeze one of the processes for a while."""
        assert self.loop.send(name, signal.SIGSTOP)
        try:
            yield
        finally:
            self.loop.send(name, signal.SIGCONT)

    async def refused_as(self, identity: IdentityFiles, proposal: Proposal) -> LedgerError:
        """Have the peers refuse to endorse what an identity signs, and return what they said."""
        profile = load_profile(self.fabric / "profile.json")
        profile = msgspec.structs.replace(profile, identities={proposal.role: identity})
        ledger = FabricLedger(profile, clock=SystemClock())
        try:
            await ledger.prepare(proposal)
        except LedgerError as error:
            return error
        finally:
            await ledger.close()
        raise AssertionError(f"{proposal.function} was endorsed")
