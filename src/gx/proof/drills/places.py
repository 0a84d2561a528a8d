"""Where a drill's stack listens and what its processes are told: free ports, short patience."""

import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from gx.monitoring.scaling import Scale
from gx.proof.drills.voices import VOICES
from gx.runtime.local_stack import HOST, SECRETS
from gx.runtime.settings import environment

MONITORED_AS: Final = "mainnet"
"""The environment whose alerts page. Only the scrapes say it: the processes issue their own tokens,
which none but devnet's do."""
POOL_MAX: Final = 4
"""Connections of each process, so few that holding all of them takes few requests."""

_PORTS: Final = {
    "postgres": "GX_STACK_POSTGRES_PORT",
    "api": "GX_API_PORT",
    "api_metrics": "GX_API_METRICS_PORT",
    "ledger": "GX_LEDGER_METRICS_PORT",
    "submitter": "GX_SUBMITTER_METRICS_PORT",
    "projector": "GX_PROJECTOR_METRICS_PORT",
    "prometheus": "GX_STACK_PROMETHEUS_PORT",
    "alertmanager": "GX_STACK_ALERTMANAGER_PORT",
    "blackbox": "GX_STACK_BLACKBOX_PORT",
    "postgres_exporter": "GX_STACK_POSTGRES_EXPORTER_PORT",
    "stand_in": "",
    **dict.fromkeys(VOICES, ""),
    "deadman": "GX_STACK_DEADMAN_PORT",
}
# How long the loop waits for its ledger, with what is given up on it: seconds that would be
# minutes of scaled time. Batches are small, so that most of a flood waits in the queue.
PATIENCE: Final = {
    "GX_LEDGER_PREPARE_TIMEOUT_S": "1",
    "GX_LEDGER_SUBMIT_TIMEOUT_S": "1",
    "GX_SUBMITTER_VERDICT_TIMEOUT_S": "1",
    "GX_SUBMITTER_BATCH_COMMANDS_MAX": "10",
    "GX_SUBMITTER_BATCHING": "auto",
    "GX_SUBMITTER_ATTEMPTS_MAX": "1",
    "GX_API_BACKLOG_AGE_MAX_S": "86400",
    "GX_DATABASE_POOL_MAX": str(POOL_MAX),
    "GX_ENVIRONMENT": "devnet",
    "GX_LEDGER": "local",
    "GX_LOG_LEVEL": "WARNING",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """A drill stack's folder, ports and pace."""

    folder: Path
    scale: Scale
    ports: Mapping[str, int] = field(default_factory=lambda: free_ports(_PORTS))

    @property
    def data(self) -> Path:
        """Where the loop keeps its data."""
        return self.folder / "var"

    def url(self, name: str) -> str:
        """Return the address of something that listens."""
        return f"http://{HOST}:{self.ports[name]}"

    @property
    def environment(self) -> dict[str, str]:
        """What the loop's processes get: the caller's variables without secrets or settings."""
        inherited = {
            key: value
            for key, value in environment().items()
            if key not in SECRETS and not key.startswith("GX_")
        }
        settings = {_PORTS[name]: str(port) for name, port in self.ports.items() if _PORTS[name]}
        return {**inherited, **settings, **PATIENCE, "GX_DATA_DIR": str(self.data)}


def free_ports(names: Mapping[str, str]) -> dict[str, int]:
    """Find a port for each name; they are different, and nobody had them a moment ago."""
    probes = {name: socket.socket() for name in names}
    try:
        for probe in probes.values():
            probe.bind((HOST, 0))
        return {name: int(probe.getsockname()[1]) for name, probe in probes.items()}
    finally:
        for probe in probes.values():
            probe.close()
