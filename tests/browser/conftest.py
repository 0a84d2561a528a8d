"""A running stack with a browser, for the tests of one module."""

from collections.abc import AsyncIterator

import pytest_asyncio

from tests.browser.living import Living, living


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stack() -> AsyncIterator[Living]:
    """The whole loop, seen by a browser."""
    async with living() as running:
        yield running
