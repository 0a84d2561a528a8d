"""What a load run found, and whether it is as it must be."""

from collections.abc import Mapping
from dataclasses import dataclass

from gx.domain.codec import JsonObject
from gx.operations.load.books import BooksCheck
from gx.operations.load.latency import LatencySummary


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadReport:
    """The whole result. `problems` says in words what is wrong; empty means success.

    `resent` and `put_off` count repetitions under the same idempotency key (after lost
    connections; after 429 and 503). `commit` and `project` are measured on a sample.
    """

    run: str
    rate_per_s: float
    sent_per_s: float
    duration_s: float
    planned: int
    sent: int
    accepted: int
    projected: int
    refused_as_expected: int
    resent: int
    put_off: int
    outcomes: Mapping[str, int]
    accept: LatencySummary
    commit: LatencySummary
    project: LatencySummary
    books: BooksCheck
    problems: tuple[str, ...]

    @property
    def is_good(self) -> bool:
        """Tell whether every accepted command ended as it must and the books balance."""
        return not self.problems

    def to_wire(self) -> JsonObject:
        """Return the report for a script: keys are stable, amounts are decimal strings."""
        supply = self.books.supply
        return {
            "ok": self.is_good,
            "run": self.run,
            "ratePerS": _rounded(self.rate_per_s),
            "sentPerS": _rounded(self.sent_per_s),
            "durationMs": round(self.duration_s * 1_000),
            "planned": self.planned,
            "sent": self.sent,
            "accepted": self.accepted,
            "projected": self.projected,
            "refusedAsExpected": self.refused_as_expected,
            "resent": self.resent,
            "putOff": self.put_off,
            "outcomes": dict(self.outcomes),
            "latency": {
                "accept": self.accept.to_wire(),
                "commit": self.commit.to_wire(),
                "project": self.project.to_wire(),
            },
            "supply": {
                "minted": str(supply.minted),
                "balances": str(supply.balances),
                "conserved": supply.is_conserved,
            },
            "wallets": {"checked": self.books.checked, "wrong": self.books.wrong},
            "problems": list(self.problems),
        }


def _rounded(rate: float) -> str:
    return f"{rate:.1f}"
