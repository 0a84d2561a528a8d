"""What is said of each wish: reachable, or why not, with what mends it."""

from dataclasses import dataclass
from enum import StrEnum

from gx.proof.reachability.catalogue import Wish
from gx.proof.reachability.policies import Connection, Obstacle
from gx.proof.reachability.remedies import Remedy


class Verdict(StrEnum):
    """How it stands with one wish."""

    REACHABLE = "reachable"
    BLOCKED = "blocked"
    NO_SUCH_PORT = "no such port"
    NO_POD = "no pod selected"
    MISMATCH = "selector mismatch"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One wish between two workloads, judged.

    `connection` is None where an end or the port is not there; `evidence` says which, and what
    comes near. `obstacles` are the closed sides, and `remedies` open them, one each where that
    can be said from manifests.
    """

    wish: Wish
    source: str
    target: str
    port: str
    verdict: Verdict
    evidence: tuple[str, ...] = ()
    connection: Connection | None = None
    obstacles: tuple[Obstacle, ...] = ()
    remedies: tuple[Remedy, ...] = ()

    @property
    def is_reachable(self) -> bool:
        """Whether nothing is wrong with it."""
        return self.verdict is Verdict.REACHABLE
