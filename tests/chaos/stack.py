"""The stack as `gx up` runs it, but staged: through proxies, beside standbys, by wrong clocks.

    python -m tests.chaos.stack STAGING_JSON

Same plan, same supervisor. STAGING_JSON says what is different; whatever it does not name is as
it always is. Crashed processes start again at once, for there is much to get through.
"""

import asyncio
import contextlib
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import msgspec

from gx.cli.output import say
from gx.cli.starting import UpObserver, bootstrap_stack
from gx.ledger.fabric.profile import load_profile
from gx.ledger.kinds import LedgerKind
from gx.runtime.clock import SystemClock
from gx.runtime.local_stack import HOST, LocalStackOptions, Planner
from gx.runtime.ports import PortNeed
from gx.runtime.process import ProcessSpec, RestartPolicy, StackItem
from gx.runtime.readiness import HttpReady
from gx.runtime.stack import stack_folder
from gx.runtime.supervisor import Supervisor
from gx.runtime.tools import Toolbox

DSN: Final = "GX_DATABASE_DSN"
PROFILE: Final = "GX_FABRIC_PROFILE"
GX: Final = ("-m", "gx.cli.main")
SKEWED: Final = ("-m", "tests.chaos.skewed")
AT_ONCE: Final = RestartPolicy(delay_base_s=0.1, delay_max_s=0.5)


class Way(msgspec.Struct, frozen=True, kw_only=True):
    """What is different for one process: where it finds the others, and what time it is."""

    database_port: int | None = None
    peer_ports: dict[int, int] = msgspec.field(default_factory=dict)
    environment: dict[str, str] = msgspec.field(default_factory=dict)
    clock_file: str | None = None
    prefix: tuple[str, ...] = ()


class Standby(msgspec.Struct, frozen=True, kw_only=True):
    """A second process beside one of the plan, with a port of its own for its metrics.

    Its `environment` may name another release's code: two versions side by side, as in an upgrade.
    """

    name: str
    beside: str
    port_setting: str
    port: int
    environment: dict[str, str] = msgspec.field(default_factory=dict)


class Staging(msgspec.Struct, frozen=True, kw_only=True):
    """What is different about this stack."""

    ledger: LedgerKind
    ways: dict[str, Way] = msgspec.field(default_factory=dict)
    standbys: tuple[Standby, ...] = ()


def staged(items: Sequence[StackItem], staging: Staging) -> Iterator[StackItem]:
    """Return the plan's items, led on their ways, and the standbys."""
    for item in items:
        if not isinstance(item, ProcessSpec):
            yield item
            continue
        yield led(item, staging.ways.get(item.name, Way()))
        for standby in staging.standbys:
            if standby.beside == item.name:
                beside = _standby(item, standby)
                yield led(beside, staging.ways.get(standby.name, Way()))


def led(spec: ProcessSpec, way: Way) -> ProcessSpec:
    """Return the process on its way."""
    environment = {**(spec.environment or {}), **way.environment}
    if way.database_port is not None and DSN in environment:
        environment[DSN] = by_port(environment[DSN], way.database_port)
    if way.peer_ports and PROFILE in environment:
        profile = Path(environment[PROFILE])
        environment[PROFILE] = str(_profile_by_ports(profile, spec.name, way.peer_ports))
    command = spec.command
    if way.clock_file is not None and command[1:3] == GX:
        command = (command[0], *SKEWED, way.clock_file, *command[3:])
    return replace(spec, environment=environment, command=(*way.prefix, *command))


def _standby(spec: ProcessSpec, standby: Standby) -> ProcessSpec:
    need = PortNeed(port=standby.port, setting=standby.port_setting)
    own: Mapping[str, str] = {**standby.environment, standby.port_setting: str(standby.port)}
    return replace(
        spec,
        name=standby.name,
        environment={**(spec.environment or {}), **own},
        readiness=HttpReady(url=f"http://{HOST}:{need.port}/readyz"),
        ports=(need,),
    )


def by_port(dsn: str, port: int) -> str:
    """Lead an address that names a Unix socket to a port of this machine instead."""
    parts = urlsplit(dsn)
    authority = parts.netloc.rpartition("@")[0]
    return f"postgresql://{authority}@{HOST}:{port}{parts.path}"


def _profile_by_ports(profile: Path, name: str, ports: Mapping[int, int]) -> Path:
    """Write a profile beside the network's own that leads to its peers through other ports."""
    told = load_profile(profile)
    text = profile.read_text(encoding="utf-8")
    for peer in told.peers:
        host, _, port = peer.endpoint.rpartition(":")
        if int(port) in ports:
            text = text.replace(f'"{peer.endpoint}"', f'"{host}:{ports[int(port)]}"')
    own = profile.with_name(f"profile-{name}.json")
    own.write_text(text, encoding="utf-8")
    return own


async def run(staging: Staging) -> None:
    """Run the stack until it is told to stop.

    Raises:
        GxError: it cannot start; the text says what is wrong.
    """
    options = LocalStackOptions(
        ledger=staging.ledger,
        with_redis=False,
        with_monitoring=False,
        bootstrap=bootstrap_stack,
    )
    folder = stack_folder()
    with folder.lock():
        await asyncio.to_thread(folder.end_leftovers)
        plan = await asyncio.to_thread(Planner(options=options, toolbox=Toolbox()).plan)
    supervisor = Supervisor(
        list(staged(plan.items, staging)),
        folder=folder,
        clock=SystemClock(),
        observer=UpObserver(folder, with_demo=False).announce(plan),
        policy=AT_ONCE,
        urls=plan.urls,
    )
    await supervisor.run()
    say("The stack has stopped.")


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(run(msgspec.json.decode(Path(sys.argv[1]).read_bytes(), type=Staging)))
