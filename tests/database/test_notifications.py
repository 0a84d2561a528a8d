"""Wake-ups: coalesced, heard by others, and back after a broken connection."""

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest

from gx.database.connections import ConnectionSettings
from gx.database.notifications import Notifier, listen
from tests.outbox.builders import eventually
from tests.ports import free_port


@pytest.fixture
def settings(database_dsn: str) -> ConnectionSettings:
    """How listeners and notifiers connect."""
    return ConnectionSettings(dsn=database_dsn, application_name="gx-test")


class Listener:
    """Counts what it hears."""

    def __init__(self, settings: ConnectionSettings) -> None:
        self.heard = 0
        self.task = asyncio.create_task(self._count(listen(settings, "gx_test")))

    async def _count(self, news: AsyncIterator[None]) -> None:
        async for _ in news:
            self.heard += 1

    async def close(self) -> None:
        """Stop listening."""
        self.task.cancel()
        await asyncio.wait([self.task])


async def test_a_listener_looks_once_and_then_hears(settings: ConnectionSettings) -> None:
    """What came before it listened is found by the first look."""
    listener = Listener(settings)
    await eventually(lambda: listener.heard == 1)
    notifier = Notifier(settings, "gx_test")

    notifier.notify()

    await eventually(lambda: listener.heard == 2)
    await notifier.close()
    await listener.close()


async def test_a_thousand_wake_ups_are_a_few_notifications(settings: ConnectionSettings) -> None:
    """Each costs a commit, and they all say the same."""
    listener = Listener(settings)
    notifier = Notifier(settings, "gx_test")
    await eventually(lambda: listener.heard == 1)
    for _ in range(100):
        for _ in range(10):
            notifier.notify()
        await asyncio.sleep(0)
    await asyncio.sleep(0.2)

    assert 2 <= listener.heard <= 20
    await notifier.close()
    await listener.close()


async def test_the_last_wake_up_is_not_swallowed(settings: ConnectionSettings) -> None:
    """One that comes while another is being sent is sent after it."""
    listener = Listener(settings)
    notifier = Notifier(settings, "gx_test")
    await eventually(lambda: listener.heard == 1)
    for expected in range(2, 12):
        notifier.notify()
        await eventually(lambda expected=expected: listener.heard >= expected)  # type: ignore[misc]  # mypy cannot infer a default

    await notifier.close()
    await listener.close()


async def test_a_broken_connection_is_made_anew_and_looks_again(
    settings: ConnectionSettings, database_dsn: str
) -> None:
    """Something may have been missed meanwhile."""
    listener = Listener(settings)
    await eventually(lambda: listener.heard == 1)
    killer = await asyncpg.connect(database_dsn)
    kill = (
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE application_name = 'gx-test listen' AND datname = current_database()"
    )
    await killer.execute(kill)
    await killer.close()

    await eventually(lambda: listener.heard >= 3)
    await listener.close()


async def test_without_a_server_neither_fails() -> None:
    """A wake-up is a hint: losing one must not cost a request."""
    nowhere = ConnectionSettings(
        dsn=f"postgresql://gx@127.0.0.1:{free_port()}/gx", application_name="gx-test"
    )
    listener, notifier = Listener(nowhere), Notifier(nowhere, "gx_test")
    notifier.notify()
    await asyncio.sleep(0.1)

    assert not listener.task.done()
    await notifier.close()
    await listener.close()
