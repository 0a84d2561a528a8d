"""What is kept of a run: the figures of `docs/reference/chaos.json`, which its page is made of."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec

from benchmarks.machine import Machine

AIM_P95_S: Final = 5.0
"""Within this, 95 of 100 faults of a kind are to be over for whoever sends a command."""


class KindFigures(msgspec.Struct, frozen=True, kw_only=True):
    """How often a kind of fault happened, and how long commands took to be answered again."""

    kind: str
    count: int
    recovery_p50_s: float | None = msgspec.field(default=None, name="recoveryP50S")
    recovery_p95_s: float | None = msgspec.field(default=None, name="recoveryP95S")

    @property
    def meets_aim(self) -> bool | None:
        """Say whether recovery was as quick as it is to be; None where nobody waited."""
        return None if self.recovery_p95_s is None else self.recovery_p95_s < AIM_P95_S


class RunFigures(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One run on one ledger. `loads` are the machine's load averages, from before to the end."""

    command: str
    machine: Machine | None
    loads: list[float]
    ledger: str
    seed: int
    rate_per_s: float
    faults: int
    skipped: dict[str, int]
    prior: int
    """Commands that were stored before the clients began."""
    accepted: int
    committed: int
    rejected: int
    dead: int
    blocks: int
    retries: int
    restarts: int
    fenced: int
    elapsed_s: float
    findings: list[str]
    smallest_story: str | None
    kinds: list[KindFigures]
    story: list[str]
    unordered: int = 0
    """Refused for good reason in no block."""
    discarded: int = 0
    lost: int | None = None
    """As the judge counted, like `doubled`; None where it could not, or did not."""
    doubled: int | None = None
    standbys: str = ""
    """The release that the standbys are of, where it is not the others'."""

    @property
    def title(self) -> str:
        """Say in a few words what was hurt."""
        return f"{self.ledger} ledger" + (f", standbys {self.standbys}" if self.standbys else "")

    @property
    def accepted_per_s(self) -> float:
        """Return what was accepted over all of the run, its pauses for the judge included."""
        return self.accepted / self.elapsed_s if self.elapsed_s else 0.0

    @property
    def was_crowded(self) -> bool:
        """Whether others had the machine's cores already when the run began."""
        return bool(self.machine and self.loads and self.loads[0] > self.machine.cores)


def read_figures(path: Path) -> list[RunFigures]:
    """Read what was written."""
    return msgspec.json.decode(path.read_bytes(), type=list[RunFigures])


def write_figures(runs: Sequence[RunFigures], path: Path) -> None:
    """Write them as JSON."""
    path.write_bytes(msgspec.json.format(msgspec.json.encode(runs)) + b"\n")
