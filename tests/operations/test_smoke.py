"""Smoke: passes on a sound system, old or new, and names what is wrong on any other."""

from collections.abc import Callable

import pytest
from typing_extensions import override

from gx.domain.codec import JsonObject
from gx.domain.identifiers import LOAN_POOL
from gx.operations.bootstrap import bootstrap
from gx.operations.smoke import Smoke, SmokeReport
from tests.operations.small_system import SmallSystem

STEPS = ["bootstrap", "pools", "countries", "user", "recipient", "genesis", "transfer", "supply"]


async def walk(system: SmallSystem, *, with_events: bool = True) -> SmokeReport:
    """Walk through the system."""
    smoke = Smoke(
        admin=system.client(),
        partner=system.client(),
        events=system if with_events else None,
        timeout_s=0,
    )
    return await smoke.walk()


@pytest.mark.parametrize("with_events", [True, False], ids=["with-ledger", "api-alone"])
async def test_a_new_system_passes(*, with_events: bool) -> None:
    """Every step is made, in order, with the times of each command."""
    report = await walk(SmallSystem(), with_events=with_events)

    assert report.is_good, report.steps[-1].detail
    assert [step.name for step in report.steps] == STEPS
    timed = [step for step in report.steps if step.accepted_ms is not None]
    assert [step.name for step in timed] == ["user", "recipient", "genesis", "transfer"]
    assert report.to_wire()["ok"] is True


async def test_a_system_in_use_passes() -> None:
    """Pools that have paid since are judged by their first entry."""
    system = SmallSystem()
    await bootstrap(system.client())
    first = await walk(system)
    second = await walk(system)

    assert first.is_good
    assert second.is_good, second.steps[-1].detail
    assert second.steps[0].detail == "had been done"


def mint_to_pool(system: SmallSystem) -> None:
    """Let a pool begin with too little."""
    system.entries[LOAN_POOL][-1]["delta"] = "1"


def lose_an_event(system: SmallSystem) -> None:
    """Take one CoinsMinted out of bootstrap's block."""
    system.blocks[0].pop()


def mint_twice(system: SmallSystem) -> None:
    """Have one pool's CoinsMinted twice in bootstrap's block."""
    system.blocks[0].append(system.blocks[0][0])


def make_coins(system: SmallSystem) -> None:
    """Let an account hold what nobody minted."""
    system.balances["mallory"] = 1


FAULTS: list[tuple[Callable[[SmallSystem], None], str, str]] = [
    (mint_to_pool, "pools", "SYSTEM_LOAN_POOL began with mint of 1 base units"),
    (lose_an_event, "pools", "block 0 holds CoinsMinted"),
    (mint_twice, "pools", "block 0 holds CoinsMinted"),
    (make_coins, "supply", "base units were minted, the accounts hold"),
]


@pytest.mark.parametrize(
    ("spoil", "step", "complaint"), FAULTS, ids=[spoil.__name__ for spoil, _, _ in FAULTS]
)
async def test_each_fault_is_seen(
    spoil: Callable[[SmallSystem], None], step: str, complaint: str
) -> None:
    """The walk stops at the fault and says what it saw."""
    system = SmallSystem()
    await bootstrap(system.client())
    spoil(system)

    report = await walk(system)

    assert not report.is_good
    assert report.steps[-1].name == step
    assert complaint in report.steps[-1].detail


async def test_a_new_system_s_pools_must_be_exact() -> None:
    """Right after bootstrap a pool holds its allocation, no coin less."""

    class Leaky(SmallSystem):
        @override
        def credit(self, account: str, amount: int) -> JsonObject:
            made = super().credit(account, amount)
            self.balances[account] -= 1
            return made

    report = await walk(Leaky())

    assert report.steps[-1].name == "pools"
    assert "after bootstrap, not" in report.steps[-1].detail


@pytest.mark.parametrize(
    ("path", "step"),
    [("/users", "user"), ("/genesis", "genesis"), ("/transfers", "transfer")],
    ids=["user", "genesis", "transfer"],
)
async def test_a_refused_command_ends_the_walk(path: str, step: str) -> None:
    """The step bears the refusal's code."""
    report = await walk(SmallSystem(refusals={path: "SYSTEM_PAUSED"}))

    assert report.steps[-1].name == step
    assert "SYSTEM_PAUSED" in report.steps[-1].detail
    assert len(report.steps) < len(STEPS)
