"""A whole run against a small system over real HTTP: what is right passes, each fault is seen."""

import re
from collections.abc import Sequence

import pytest

from gx.operations.credentials import Credentials
from gx.operations.load.mix import DEFAULT_MIX, parse_mix
from gx.operations.load.plan import LoadPlan, LoadRefusedError
from gx.operations.load.report import LoadReport
from gx.operations.load.run import LoadProgress, LoadRun
from tests.operations.load.fake_system import FakeSystem, Faults, serving

TOKENS = Credentials(super_admin="super", partner="partner")
SMALL = LoadPlan(rate_per_s=400, duration_s=0.5, mix=parse_mix(DEFAULT_MIX), drain_s=1)


async def run_against(
    system: FakeSystem, plan: LoadPlan = SMALL, seen: list[LoadProgress] | None = None
) -> LoadReport:
    """Run a plan against the system."""
    progress: list[LoadProgress] = [] if seen is None else seen
    async with serving(system) as base_url:
        run = LoadRun(
            plan, base_url=base_url, credentials=TOKENS, books=system, observe=progress.append
        )
        return await run.execute()


async def test_a_sound_system_passes() -> None:
    """Everything planned is sent, accepted, projected, and the books balance."""
    seen: list[LoadProgress] = []
    report = await run_against(FakeSystem(), seen=seen)

    assert report.problems == ()
    assert report.is_good
    assert report.planned == report.sent == report.accepted == report.projected == 200
    assert report.books.checked > 100
    assert report.accept.count == 200
    assert report.commit.count + report.project.count >= 8
    assert report.outcomes["transfer:PROJECTED"] == 160
    assert {progress.phase for progress in seen} >= {"preparing", "sending"}
    assert report.to_wire()["ok"] is True


async def test_each_command_is_sent_with_the_token_and_actor_that_it_needs() -> None:
    """A transfer is a partner's, for the sender; a mint is a super admin's, for nobody."""
    system = FakeSystem()
    await run_against(system)

    seen = {(h["authorization"], "x-on-behalf-of" in h) for h in system.headers_seen}
    assert seen == {("Bearer super", False), ("Bearer partner", True), ("Bearer partner", False)}


async def test_an_overdraw_is_expected_to_be_refused() -> None:
    """Its refusal with the declared code is no fault."""
    plan = LoadPlan(rate_per_s=200, duration_s=0.2, mix=parse_mix("transfer=1,overdraw=1"))
    report = await run_against(FakeSystem(), plan)

    assert report.problems == ()
    assert report.refused_as_expected == 20


async def test_a_repeated_request_takes_effect_once() -> None:
    """Lost answers and a busy API are repeated under the same key: counted, but no fault."""
    report = await run_against(FakeSystem(Faults(lost_answers=5, busy_answers=3)))

    assert report.problems == ()
    assert report.resent == 5
    assert report.put_off == 3


FAULTS: Sequence[tuple[Faults, str]] = [
    (Faults(refuse_with="FORBIDDEN"), "refused 200 requests.*FORBIDDEN"),
    (Faults(lost_answers=5, forgets_keys=True), "wrong balance"),
    (Faults(stuck_commands=2), "2 accepted commands were not final"),
    (Faults(loses_coins=True), "base units were minted, but"),
    (Faults(refused_by_ledger="SYSTEM_PAUSED"), "ended wrongly.*REJECTED SYSTEM_PAUSED"),
]


@pytest.mark.parametrize(
    ("faults", "complaint"), FAULTS, ids=["refused", "twice", "stuck", "lost-coins", "rejected"]
)
async def test_each_fault_is_seen(faults: Faults, complaint: str) -> None:
    """A system that errs cannot pass: the verdict says what is wrong."""
    report = await run_against(FakeSystem(faults))

    assert not report.is_good
    assert any(re.search(complaint, problem) for problem in report.problems)


async def test_a_stall_shows_in_every_request_that_it_delayed() -> None:
    """Latency counts from when a request was due: one slow lane delays all behind it."""
    plan = LoadPlan(rate_per_s=100, duration_s=0.2, mix=parse_mix("mint=1"), connections=1)
    report = await run_against(FakeSystem(Faults(answer_delay_s=0.05)), plan)

    assert report.accept.max_us > 700_000  # 20 requests of 50 ms through one connection in 200 ms
    assert report.accept.p50_us > 300_000


@pytest.mark.parametrize("code", ["ROLE_REQUIRED", "SYSTEM_PAUSED"])
async def test_what_cannot_be_prepared_is_said_before_anything_is_sent(code: str) -> None:
    """A run whose wallets cannot be funded does not start."""
    system = FakeSystem(Faults(refuse_preparation_with=code))

    with pytest.raises(LoadRefusedError, match=f"could not be prepared.*{code}"):
        await run_against(system)

    assert not system.commands
