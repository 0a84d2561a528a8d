"""From what a run counted to its report: pure."""

from collections.abc import Iterator
from dataclasses import dataclass

from gx.domain.command_status import CommandStatus
from gx.operations.load.books import BooksCheck
from gx.operations.load.delivery import Delivery
from gx.operations.load.following import Follower
from gx.operations.load.pacing import OpenLoop
from gx.operations.load.plan import LoadPlan
from gx.operations.load.report import LoadReport
from gx.operations.load.sampling import LatencySampler


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """Everything that counted during a run; `duration_s` is that of the sending."""

    run: str
    plan: LoadPlan
    loop: OpenLoop
    delivery: Delivery
    follower: Follower
    sampler: LatencySampler
    duration_s: float


def build_report(counted: Counted, books: BooksCheck) -> LoadReport:
    """Judge the run."""
    loop, outcomes = counted.loop, counted.follower.outcomes
    return LoadReport(
        run=counted.run,
        rate_per_s=counted.plan.rate_per_s,
        sent_per_s=loop.sent / counted.duration_s if counted.duration_s else 0.0,
        duration_s=counted.duration_s,
        planned=counted.plan.total,
        sent=loop.sent,
        accepted=loop.accepted,
        projected=outcomes.total(CommandStatus.PROJECTED),
        refused_as_expected=outcomes.refused_as_expected,
        resent=counted.delivery.resent,
        put_off=counted.delivery.put_off,
        outcomes={
            f"{kind}:{status}{f':{code}' if code else ''}": number
            for (kind, status, code), number in sorted(outcomes.counts.items())
        },
        accept=loop.accept_latencies.summary(),
        commit=counted.sampler.committed.summary(),
        project=counted.sampler.projected.summary(),
        books=books,
        problems=tuple(_problems(counted, books)),
    )


def _problems(counted: Counted, books: BooksCheck) -> Iterator[str]:
    loop, follower = counted.loop, counted.follower
    if loop.has_given_up:
        yield (
            f"stopped after {loop.sent} of {counted.plan.total} requests: "
            "too many were waiting for an answer; the system cannot take this rate"
        )
    if loop.refused:
        codes = ", ".join(f"{number} x {code}" for code, number in loop.refused.most_common())
        yield f"the API refused {loop.refused.total()} requests ({codes}): {loop.refusals[0]}"
    if follower.open_count:
        why = f" (their status could not be read: {follower.failure})" if follower.failure else ""
        yield (
            f"{follower.open_count} accepted commands were not final "
            f"{counted.plan.drain_s:g} s after the last request{why}"
        )
    outcomes = follower.outcomes
    if outcomes.surprise_count:
        yield f"{outcomes.surprise_count} commands ended wrongly: {'; '.join(outcomes.surprises)}"
    if not books.supply.is_conserved:
        yield (
            f"{books.supply.minted} base units were minted, "
            f"but all accounts together hold {books.supply.balances}"
        )
    if books.wrong:
        yield f"{books.wrong} wallets hold a wrong balance: {'; '.join(books.differences)}"
