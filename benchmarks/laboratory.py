"""Making what is measured: systems with their accounts and pasts, and edges that do less."""

import asyncio
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from benchmarks.beside import installed_peers
from benchmarks.driver import driving, prepare
from benchmarks.history import clean_up, write_history
from benchmarks.questions import Effort, Laboratory
from benchmarks.stack import API, LOOP, PROJECTOR, SUBMITTER, Server, free_port, until_answering
from benchmarks.systems import System
from benchmarks.timeline import install
from benchmarks.transfers import ACCOUNTS
from gx.database.tether import tethered
from gx.domain.roles import TokenRole


@asynccontextmanager
async def laboratory(
    server: Server, effort: Effort, tell: Callable[[str], None]
) -> AsyncIterator[Laboratory]:
    """Make the systems, open their accounts, give some of them a past."""
    fresh = await make_system(server, "fresh", ACCOUNTS, tell)
    grown: dict[str, System] = {}
    for accounts in effort.accounts:
        name = f"{accounts:,} accounts"
        grown[name] = await make_system(server, f"accounts{accounts}", accounts, tell)
    for rows in effort.histories:
        name = f"{rows:,} settled commands"
        aged = await make_system(server, f"settled{rows}", ACCOUNTS, tell)
        seconds = await write_history(aged.loop, rows)
        tell(f"wrote a past of {rows:,} settled commands in {seconds:.0f} s")
        grown[name] = aged
    for system in (fresh, *grown.values()):
        await clean_up(system.loop)
    keys = str(fresh.loop.keys)
    pooled = await server.open_loop("pooled")  # nobody takes out again what goes in there
    async with (
        _edge("benchmarks.bare_edge", keys) as bare_port,
        _edge("benchmarks.pooled_edge", keys, pooled.dsn) as pooled_port,
    ):
        yield Laboratory(
            effort=effort,
            server=server,
            fresh=fresh,
            grown=grown,
            bare_port=bare_port,
            pooled_port=pooled_port,
            token=fresh.loop.token(TokenRole.PARTNER),
            tell=tell,
            peers=installed_peers() if effort.has_extras else [],
        )


async def make_system(
    server: Server, name: str, accounts: int, tell: Callable[[str], None]
) -> System:
    """Start a loop and open its accounts; its submitter and projector are stopped again."""
    loop = await server.open_loop(name)
    await loop.start(*LOOP, API)
    await install(loop)
    async with driving(loop) as driver:
        await prepare(driver, accounts)
    await loop.stop(PROJECTOR, SUBMITTER)
    tell(f"the system {name!r} has its {accounts:,} accounts")
    return System(server=server, loop=loop, accounts=accounts)


@asynccontextmanager
async def _edge(module: str, *arguments: str) -> AsyncIterator[int]:
    """Serve an API that does less, with the systems' issuer; yields its port."""
    port = free_port()
    process = await asyncio.create_subprocess_exec(
        *tethered((sys.executable, "-m", module, str(port), *arguments)),
        stdout=asyncio.subprocess.DEVNULL,
    )
    try:
        await until_answering(f"http://127.0.0.1:{port}/readyz", process)
        yield port
    finally:
        process.terminate()
        await process.wait()
