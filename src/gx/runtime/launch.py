"""Starts the local stack: finds its programs, plans it, and supervises it until it is stopped."""

import asyncio
from collections.abc import Callable

from gx.runtime.clock import SystemClock
from gx.runtime.local_stack import LocalStackOptions, Plan, Planner
from gx.runtime.process import StackObserver
from gx.runtime.settings import StackSettings, load
from gx.runtime.stack import stack_folder
from gx.runtime.supervisor import Supervisor
from gx.runtime.tools import Toolbox, find_tools


async def run_local_stack(
    options: LocalStackOptions,
    *,
    announce: Callable[[Plan], StackObserver],
    report: Callable[[str], None],
) -> None:
    """Run the stack until Ctrl-C, `gx down`, or a failure; nothing of it runs afterwards.

    `announce` is told the plan before anything starts and returns who watches it; `report`
    gets a line for each long preparation.

    Raises:
        GxError: it cannot start; the text says what is wrong and what to do.
    """
    toolbox = Toolbox()
    if options.with_monitoring:
        cache = load(StackSettings).cache_dir
        toolbox = await asyncio.to_thread(find_tools, cache, report=report)
    folder = stack_folder()
    with folder.lock():
        await asyncio.to_thread(folder.end_leftovers)
        plan = await asyncio.to_thread(Planner(options=options, toolbox=toolbox).plan)
    supervisor = Supervisor(
        plan.items,
        folder=folder,
        clock=SystemClock(),
        observer=announce(plan),
        urls=plan.urls,
    )
    await supervisor.run()
