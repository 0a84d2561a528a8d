"""One running stack with one browser for all tests of the console."""

from collections.abc import AsyncIterator

import pytest_asyncio

from tests.browser.living import Living, living


@pytest_asyncio.fixture(scope="package", loop_scope="package")
async def stack() -> AsyncIterator[Living]:
    """The whole loop, seen by a browser."""
    async with living() as running:
        yield running
