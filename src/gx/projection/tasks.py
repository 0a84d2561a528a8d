"""Ending background tasks without losing track of them."""

import asyncio


async def end_tasks(*tasks: "asyncio.Task[None]") -> None:
    """Cancel the tasks and wait until they have ended; how they ended no longer matters."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
