"""The HTTP API without a database: the same application, over an inbox that stores nothing.

    python -m benchmarks.bare_edge PORT KEYS_FOLDER

What a request costs here is what HTTP, tokens, validation and metrics cost. The rest of a durable
request is the price of durability.
"""

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final, cast

import uvicorn
import uvloop
from typing_extensions import override

from gx.api.app import Collaborators, create_app
from gx.api.issuer import jwks_path
from gx.api.ports import CommandGate, Queries
from gx.api.rate_limits import LocalRateLimiter
from gx.api.route_table import metric_routes
from gx.api.settings import Allowance, EdgeSettings
from gx.api.signing_keys import SigningKeys, load_from_file
from gx.api.tokens import JwtVerifier, TokenPolicy
from gx.database.leases import MemoryLeases
from gx.outbox.command_ids import CommandIds
from gx.outbox.group_commit import GroupCommitter
from gx.outbox.memory.dead_letters import MemoryDeadLetters
from gx.outbox.memory.reader import MemoryCommandReader
from gx.outbox.memory.rows import MemoryOutbox
from gx.outbox.ports import Acceptance, AcceptanceKind, Backlog, CommandInbox, NewCommand
from gx.runtime.clock import SystemClock
from gx.runtime.settings import ApiSettings
from gx.telemetry.families import MetricsRegistry
from gx.telemetry.health import Probes
from gx.telemetry.instruments import build_api_metrics

UNLIMITED: Final = Allowance(rate_per_s=1_000_000.0, burst=10_000_000)


class ForgetfulInbox(CommandInbox):
    """Gives every command an id and forgets it."""

    def __init__(self) -> None:
        self._new_id = CommandIds(SystemClock(), os.urandom)

    @override
    async def accept(self, commands: Sequence[NewCommand]) -> Sequence[Acceptance]:
        return [Acceptance(kind=AcceptanceKind.NEW, command_id=self._new_id()) for _ in commands]

    @override
    async def backlog(self) -> Backlog:
        return Backlog(pending=0, oldest_age_ms=0)


def collaborators(keys: Path, gate: CommandGate) -> Collaborators:
    """Put together everything but a database."""
    settings, clock = ApiSettings(), SystemClock()
    policy = TokenPolicy(issuer=settings.token_issuer, audience=settings.token_audience)
    verifier = JwtVerifier(SigningKeys(load_from_file(jwks_path(keys))), policy=policy, clock=clock)
    nothing = MemoryOutbox(
        clock=clock, leases=MemoryLeases(clock), new_id=CommandIds(clock, os.urandom)
    )
    return Collaborators(
        gate=gate,
        reader=MemoryCommandReader(nothing),
        letters=MemoryDeadLetters(nothing),
        queries=cast("Queries", None),  # nothing is read here
        tokens=verifier,
        limiter=LocalRateLimiter(),
        probes=Probes(ready=()),
        metrics=build_api_metrics(MetricsRegistry(), routes=tuple(metric_routes())),
        settings=EdgeSettings(subject_allowance=UNLIMITED),
    )


async def serve(port: int, parts: Collaborators) -> None:
    """Serve until a signal comes, with uvicorn's settings of `gx api serve`."""
    config = uvicorn.Config(
        create_app(parts),
        host="127.0.0.1",
        port=port,
        log_config=None,
        access_log=False,
        server_header=False,
        ws="none",
        http="httptools",
    )
    await uvicorn.Server(config).serve()


if __name__ == "__main__":
    forgetful = GroupCommitter(ForgetfulInbox(), on_stored=lambda: None)
    uvloop.run(serve(int(sys.argv[1]), collaborators(Path(sys.argv[2]), forgetful)))
