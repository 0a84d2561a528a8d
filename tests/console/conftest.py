"""The console in front of sources that a test gives their answers."""

from collections.abc import AsyncIterator

import httpx
import pytest
import pytest_asyncio

from tests.console.fake_sources import FakeSources, browser_of, build_console


@pytest.fixture
def sources() -> FakeSources:
    """Sources that are all away until a test says what they answer."""
    return FakeSources()


@pytest_asyncio.fixture
async def browser(sources: FakeSources) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the console on its own machine."""
    async with browser_of(build_console(sources)) as client:
        yield client
