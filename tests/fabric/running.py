"""Native networks whose supervisor runs in the test itself."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from gx.fabric.deployment import carry_out
from gx.fabric.lifecycle import DeploymentPlan, plan_deployment
from gx.fabric.network import Network
from gx.fabric.package import build_package
from gx.fabric.release import Binaries
from gx.runtime.fabric_network import NetworkStack
from gx.runtime.fabric_servers import SlotServers
from gx.runtime.settings import CommonSettings, environment
from gx.runtime.stack import StackFolder
from tests.runtime.stacks import RememberingObserver, a_supervisor

START_S: Final = 300.0  # a dozen programs start one after another, each slow on a busy machine
POLL_S: Final = 0.05


def native_stack(network: Network, binaries: Binaries) -> NetworkStack:
    """Put a network together."""
    return NetworkStack(
        network=network,
        binaries=binaries,
        folder=StackFolder(network.folder),
        common=CommonSettings(data_dir=network.folder.parent),
        environment=environment(),
    )


@asynccontextmanager
async def running_network(stack: NetworkStack) -> AsyncIterator[RememberingObserver]:
    """Run a network until the test is done with it."""
    items = await asyncio.to_thread(stack.items)
    observer = RememberingObserver()
    supervisor = a_supervisor(items, stack.network.folder, observer)
    run = asyncio.create_task(supervisor.run())
    try:
        async with asyncio.timeout(START_S):
            while observer.ready_after_s is None and not run.done():  # noqa: ASYNC110 (of two ends, one has no event)
                await asyncio.sleep(POLL_S)
        if run.done():
            await run
        yield observer
    finally:
        supervisor.request_stop()
        await asyncio.wait({run})
    await run


def upgrade(stack: NetworkStack, version: str) -> DeploymentPlan:
    """Plan and carry out the upgrade to a version, as `gx chaincode upgrade --apply` does."""
    servers, lifecycle = SlotServers(stack.network, stack.folder), stack.lifecycle()
    committed = lifecycle.committed()
    in_force = committed.version if committed else None
    address = servers.address_for(version, in_force=in_force)
    plan = plan_deployment(lifecycle, build_package(version=version, address=address))
    carry_out(plan, lifecycle, servers, report=lambda _: None)
    return plan
