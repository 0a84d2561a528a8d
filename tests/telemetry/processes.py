"""The instruments of every process, as small as they can be, and what they export."""

from collections.abc import Callable
from typing import Final

from prometheus_client.parser import text_string_to_metric_families

from gx.monitoring.deadman.instruments import build_deadman_metrics
from gx.telemetry.families import MetricsRegistry
from gx.telemetry.instruments import (
    build_api_metrics,
    build_chaincode_metrics,
    build_ledger_metrics,
    build_projector_metrics,
    build_submitter_metrics,
)
from gx.telemetry.metric import Process

COMMAND_TYPES: Final = ("MINT_COINS", "TRANSFER_TOKENS")
REFUSAL_CODES: Final = ("INSUFFICIENT_FUNDS", "SYSTEM_PAUSED")
EVENT_TYPES: Final = ("CoinsMinted",)
ROUTES: Final = (("/api/v1/transfers", "POST"), ("/api/v1/supply", "GET"))
FUNCTIONS: Final = (("TokenomicsContract", "Mint"),)


def a_submitter(registry: MetricsRegistry) -> None:
    """Build the submitter's instruments."""
    build_submitter_metrics(registry, command_types=COMMAND_TYPES, refusal_codes=REFUSAL_CODES)


def a_projector(registry: MetricsRegistry) -> None:
    """Build the projector's instruments."""
    build_projector_metrics(registry, event_types=EVENT_TYPES, channel="gxchannel-devnet")


def an_api(registry: MetricsRegistry) -> None:
    """Build the API's instruments, with Redis."""
    build_api_metrics(registry, routes=ROUTES, redis_commands=("EVALSHA",))


def a_ledger(registry: MetricsRegistry) -> None:
    """Build the local ledger's instruments."""
    build_ledger_metrics(registry, functions=FUNCTIONS)


def a_deadman(registry: MetricsRegistry) -> None:
    """Build the dead-man's receiver's instruments."""
    build_deadman_metrics(registry)


def a_chaincode(registry: MetricsRegistry) -> None:
    """Build the chaincode's instruments."""
    build_chaincode_metrics(registry, functions=FUNCTIONS)


BUILDERS: Final[dict[Process, Callable[[MetricsRegistry], None]]] = {
    Process.SUBMITTER: a_submitter,
    Process.PROJECTOR: a_projector,
    Process.API: an_api,
    Process.LEDGER: a_ledger,
    Process.CHAINCODE: a_chaincode,
    Process.DEADMAN: a_deadman,
}

Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


def samples_of(text: bytes) -> Samples:
    """Read an exposition with prometheus_client's own parser."""
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text.decode())
        for sample in family.samples
    }


def declared_names(text: bytes) -> set[str]:
    """List the names that an exposition has a TYPE line for."""
    return {line.split()[2] for line in text.decode().splitlines() if line.startswith("# TYPE")}
