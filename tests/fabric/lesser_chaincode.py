"""The chaincode as it was before it could mint: `python -m tests.fabric.lesser_chaincode`.

It has no `TokenomicsContract:Mint`, and its bootstrap mints the pools by calling that function by
its name. It is configured like `gx chaincode serve`.
"""

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from gx.chaincode.context import Context, Effect
from gx.chaincode.dispatch import Registry
from gx.chaincode.executor import Executor
from gx.chaincode.functions import ContractFunction, submit
from gx.chaincode.server.execution import Execution
from gx.chaincode.server.identities import CallerReader
from gx.chaincode.server.serving import ChaincodeServer, ServerOptions, serve
from gx.contracts import keys, system
from gx.contracts.chaincode import contract_functions
from gx.domain.arguments import Arguments
from gx.domain.catalogue import BOOTSTRAP_SYSTEM, COMMANDS_BY_FUNCTION, MINT_COINS
from gx.domain.economics import POOL_ALLOCATIONS
from gx.fabric.package import ChaincodePackage
from gx.runtime.processes.backend import run_process
from gx.runtime.settings import load_chaincode
from tests.chaincode.server.served import LIMITS

DRAIN_S: Final = 5.0


def registry_without(*left_out: str, instead: tuple[ContractFunction, ...] = ()) -> Registry:
    """Collect every contract function but these, and others in their place."""
    kept = [each for each in contract_functions() if each.name not in left_out]
    known = {each.name for each in (*kept, *instead)}
    return Registry(
        (*kept, *instead),
        gate=system.require_open,
        shared_keys=keys.SHARED,
        commands={name: spec for name, spec in COMMANDS_BY_FUNCTION.items() if name in known},
    )


@submit(BOOTSTRAP_SYSTEM)
def bootstrap_by_calling_mint(context: Context, _arguments: Arguments) -> Effect:
    """Mint the pools through a function that nobody has declared."""
    system.open_system(context)
    functions = registry_without(MINT_COINS.function, BOOTSTRAP_SYSTEM.function)
    effects = [
        functions.run(functions.prepare(MINT_COINS.function, (pool, str(amount), "Pool")), context)
        for pool, amount in POOL_ALLOCATIONS.items()
    ]
    return effects[0]


def lesser_executor() -> Executor:
    """Build what a peer calls."""
    replaced = (MINT_COINS.function, BOOTSTRAP_SYSTEM.function)
    return Executor(registry_without(*replaced, instead=(bootstrap_by_calling_mint,)))


@contextmanager
def serving(package: ChaincodePackage, log: Path) -> Iterator[None]:
    """Serve the package in a process of its own; calls wait until it listens."""
    named = {"CHAINCODE_ID": package.package_id, "CHAINCODE_SERVER_ADDRESS": package.address}
    with (
        log.open("wb") as output,
        subprocess.Popen(
            [sys.executable, "-m", "tests.fabric.lesser_chaincode"],
            env={**os.environ, **named},  # noqa: TID251 (a child's)
            stdout=output,
            stderr=output,
        ) as process,
    ):
        try:
            yield
        finally:
            process.terminate()


async def _serve(stop: asyncio.Event) -> None:
    settings = load_chaincode()
    options = ServerOptions(
        package_id=settings.package_id,
        address=settings.address,
        tls=None,
        limits=LIMITS,
        drain_s=DRAIN_S,
    )
    execution = Execution(lesser_executor().execute, CallerReader())
    server = ChaincodeServer(options, execution, observe_streams=lambda _: None)
    await serve(server, stop=stop, on_ready=lambda: None)


if __name__ == "__main__":
    run_process("chaincode", _serve)
