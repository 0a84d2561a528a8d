"""What a run of drills says of itself when somebody ends it."""

import asyncio
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import pytest
from typing_extensions import override

from gx.domain.roles import TokenRole
from gx.monitoring.scaling import Scale
from gx.proof.drills.monitoring import Monitoring
from gx.proof.drills.outcome import Phase
from gx.proof.drills.places import Places
from gx.proof.drills.run import Conductor
from gx.proof.drills.scenarios import SCENARIOS
from gx.proof.drills.stack import DrillStack
from gx.proof.sink import Sink


@dataclass(slots=True, kw_only=True)
class SilentStack(DrillStack):
    """Nothing of it runs, so that a run waits for its first alert for ever; says when it begins."""

    begun: asyncio.Event = field(default_factory=asyncio.Event)

    @override
    def token(self, role: TokenRole) -> str:
        self.begun.set()
        return "none"


async def test_what_was_not_played_is_interrupted_and_not_failed(tmp_path: Path) -> None:
    """Ctrl-C proves nothing of an alert: a report of failures would send somebody to look for them.

    Only once the run is told so: what ends with the stack afterwards says nothing any more.
    """
    told: list[set[Phase]] = []
    with Sink() as sink:
        places = Places(folder=tmp_path, scale=Scale(15))
        stack = SilentStack(places=places, sink=sink, monitoring=cast("Monitoring", None))
        conductor = Conductor(stack, tell=lambda run: told.append({e.phase for e in run.alerts}))
        playing = asyncio.create_task(conductor.play(SCENARIOS[:2]))
        await stack.begun.wait()
        playing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await playing

    assert told == [{Phase.INTERRUPTED}]
