"""Faults played under load, and the judge's word after them."""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from tests.chaos.faults.catalogue import KINDS
from tests.chaos.faults.kind import FaultImpossibleError
from tests.chaos.faults.story import Fault
from tests.chaos.scenes import faults_in, settle, under_load, verdict
from tests.chaos.stage import Stage

FENCED: Final = ("lease_lost", "projection_fenced_out")
CALM_S: Final = 0.5
WITHOUT_FAULTS_S: Final = 30.0
"""How long a story of no faults is under load: about as long as one of some."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """A fault that happened. Without a time of recovery nobody waited for it, or it could not."""

    fault: Fault
    recovery_s: float | None = None
    impossible: str | None = None


@dataclass(slots=True)
class Round:
    """Some faults, and what was found when everything had become quiet."""

    played: list[Played] = field(default_factory=list)
    findings: list[str] = field(default_factory=list)
    judged: dict[str, object] = field(default_factory=dict)
    elapsed_s: float = 0.0


async def play_round(
    stage: Stage, faults: Sequence[Fault], tell: Callable[[Played], None] = lambda _: None
) -> Round:
    """Play these faults under load, let the loop become quiet, and have it judged.

    Whatever goes wrong is a finding, also where the loop never becomes quiet.
    """
    told, began_s = Round(), time.monotonic()
    try:
        async with under_load(stage.driver):
            await asyncio.sleep(CALM_S if faults else WITHOUT_FAULTS_S)
            for fault in faults:
                played = await _play(stage, fault, told)
                told.played.append(played)
                tell(played)
            await stage.driver.probe()
        await settle(stage.loop)
    except* AssertionError as group:
        told.findings.extend(str(error) for error in group.exceptions)
    except* TimeoutError as group:
        told.findings.extend(f"nothing happened any more: {error!r}" for error in group.exceptions)
    await _judge(stage, told)
    told.findings.extend(f"an answer to a client: {text}" for text in stage.driver.unexpected)
    told.elapsed_s = time.monotonic() - began_s
    return told


async def _judge(stage: Stage, told: Round) -> None:
    try:
        told.judged = await verdict(stage.loop, stage.driver, stage.chain)
    except AssertionError as error:
        told.findings.append(f"the judge could not judge: {error}")
        return
    told.findings.extend(faults_in(told.judged))


async def _play(stage: Stage, fault: Fault, told: Round) -> Played:
    kind = KINDS[fault.kind](stage, fault)
    await asyncio.sleep(fault.pause_s)
    try:
        await kind.make()
    except FaultImpossibleError as error:
        return Played(fault=fault, impossible=str(error))
    try:
        await asyncio.sleep(fault.duration_s)
    finally:
        found = await kind.mend()
    told.findings.extend(found)
    if fault.is_hasty:
        return Played(fault=fault)
    mended_s = time.monotonic()
    await stage.driver.probe()
    return Played(fault=fault, recovery_s=time.monotonic() - mended_s)
