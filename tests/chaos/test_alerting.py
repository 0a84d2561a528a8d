"""What should have fired during a run did, and nothing else: on real Prometheus, in scaled time.

`GX_CHAOS_PLANTED=all` plays it: `make planted-bugs` does, and so does a whole `make chaos` when its
schedule is through, which itself runs without Prometheus. Each part is away for longer than its
alerts wait, under load; how long that is follows from the rules, not from what is seen meanwhile.
"""

import asyncio
import json
import signal
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import pytest
import yaml

from gx.api.issuer import Claims, LocalIssuer
from gx.domain.roles import TokenRole
from gx.monitoring.drills import DRILLS
from gx.monitoring.local import RULES_FILE
from gx.monitoring.model import Fault
from gx.monitoring.scaling import Scale
from gx.proof.drills.scenarios import NOT_DRILLED
from gx.proof.drills.stack import SLOW_BURNS, DrillStack, running_stack
from gx.runtime.clock import SystemClock
from gx.runtime.settings import ApiSettings, Environment
from tests.chaos.driver import Driver
from tests.chaos.findings import Rule
from tests.chaos.lab import Lab
from tests.chaos.scenes import faults_in, judged, under_load

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(1_200),
    pytest.mark.xdist_group("chaos-alerting"),
]

SCALE: Final = Scale(15)
RATE_PER_S: Final = 50.0
PATIENCE_S: Final = 600.0
MARGIN_S: Final = 10.0
"""Real seconds, which a busy machine takes for what is promised in scaled ones."""

AWAY: Final = {"api": Fault.STOP_API, "postgres_exporter": Fault.STOP_EXPORTER}
"""Whose alerts depend on nothing but being away: not on how much a busy machine can send."""


class Run:
    """A stack under load, and what its notes say of alerts."""

    def __init__(self, stack: DrillStack, driver: Driver) -> None:
        self._stack: Final = stack
        self._driver: Final = driver
        self._expected: list[dict[str, object]] = []
        self._collateral: set[str] = set(SLOW_BURNS)
        self._began_s = _now_s()

    async def stop_for_long(self, name: str) -> None:
        """Stop a process for longer than its alerts wait, and then give it time to recover."""
        fault = AWAY[name]
        drill = next(each for each in DRILLS if each.fault is fault)
        proven = [each for each in drill.proves if each.name not in NOT_DRILLED]
        self._collateral |= drill.collateral | {each.name for each in drill.proves}
        away_s = MARGIN_S + SCALE.seconds(max(each.detection_s for each in proven))
        from_s = _now_s()
        self._stack.send(name, signal.SIGSTOP)
        try:
            await asyncio.sleep(away_s)
        finally:
            self._stack.send(name, signal.SIGCONT)
        to_s = _now_s() + MARGIN_S
        self._expected += [{"alert": a.name, "from": from_s, "to": to_s} for a in proven]
        await asyncio.sleep(MARGIN_S)

    async def judge(self) -> list[str]:
        """Have the judge say what is wrong, of alerts too."""
        notes = self._stack.places.folder / "accepted.json"
        self._driver.write(notes)
        told = json.loads(notes.read_text())
        told["alerts"] = {
            "prometheus": self._stack.places.url("prometheus"),
            "from": self._began_s,
            "to": _now_s(),
            "expected": self._expected,
            "collateral": sorted(self._collateral),
        }
        notes.write_text(json.dumps(told))
        chain = self._stack.places.data / "ledger" / "ledger.sqlite"
        return faults_in(await judged(self._stack.dsn, chain, notes))


async def test_a_part_that_was_away_for_long_had_its_alerts_and_no_others() -> None:
    """The judge finds nothing of a run whose alerts fired; a rule that is gone it does find."""
    async with running_stack(SCALE) as stack, _loaded(stack) as (driver, run):
        async with under_load(driver):
            await run.stop_for_long("api")
            await run.stop_for_long("postgres_exporter")
        await Lab(stack.places.folder, stack.dsn).until_quiet()
        assert await run.judge() == []

        _forget_rules(stack.monitoring.folder, _names_of(AWAY["api"]))
        assert await stack.reload("prometheus")
        again = Run(stack, driver)
        await again.stop_for_long("api")
        await Lab(stack.places.folder, stack.dsn).until_quiet()
        faults = await again.judge()
        assert any(fault.startswith(Rule.SILENT) for fault in faults), faults


@asynccontextmanager
async def _loaded(stack: DrillStack) -> AsyncIterator[tuple[Driver, Run]]:
    driver = Driver(
        url=f"{stack.places.url('api')}/api/v1",
        admin_token=_token(stack, TokenRole.SUPER_ADMIN, ()),
        partner_token=_token(stack, TokenRole.PARTNER, ("*",)),
        seed=1,
        rate_per_s=RATE_PER_S,
        patience_s=PATIENCE_S,
    )
    await driver.prepare()
    yield driver, Run(stack, driver)


def _token(stack: DrillStack, role: TokenRole, act_for: tuple[str, ...]) -> str:
    settings = ApiSettings.model_construct()
    issuer = LocalIssuer.open(
        stack.places.data / "keys",
        issuer=settings.token_issuer,
        audience=settings.token_audience,
        clock=SystemClock(),
        environment=Environment.DEVNET,
    )
    return issuer.issue(Claims(subject="chaos", role=role, act_for=act_for, ttl_s=86_400))


def _names_of(fault: Fault) -> set[str]:
    return {a.name for each in DRILLS if each.fault is fault for a in each.proves}


def _forget_rules(folder: Path, names: Collection[str]) -> None:
    """Take these alerts out of the rules, as a bad merge would."""
    path = folder / RULES_FILE
    rules = yaml.safe_load(path.read_text())
    for group in rules["groups"]:
        group["rules"] = [each for each in group["rules"] if each.get("alert") not in names]
    path.write_text(yaml.safe_dump(rules))


def _now_s() -> float:
    """Tell the time that Prometheus stamps samples with."""
    return SystemClock().now_ms() / 1_000
