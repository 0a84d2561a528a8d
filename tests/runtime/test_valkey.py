"""The embedded Valkey: private, bounded, forgetful."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import psutil
import pytest
import redis.asyncio
from redis.exceptions import AuthenticationError

from gx.runtime import valkey
from gx.runtime.valkey import EmbeddedValkey, PreparedValkey, ValkeyMissingError, find_server
from tests.ports import free_port


@asynccontextmanager
async def running(prepared: PreparedValkey) -> AsyncIterator[int]:
    """Run the server, yield its process id, stop it."""
    process = await asyncio.create_subprocess_exec(
        *prepared.command, env=dict(prepared.environment), stdout=asyncio.subprocess.DEVNULL
    )
    try:
        async with asyncio.timeout(30):
            while not await prepared.is_ready():  # noqa: ASYNC110 (another process sets no event)
                await asyncio.sleep(0.02)
        yield process.pid
    finally:
        process.send_signal(prepared.stop_signal)
        await process.wait()


def modes_in(folder: Path) -> dict[str, int]:
    """Return the mode of each file in a folder."""
    return {path.name: path.stat().st_mode for path in folder.iterdir()}


async def test_the_prepared_command_serves_behind_a_password(tmp_path: Path) -> None:
    """Every user of the machine reaches the port; only we know the password."""
    port = free_port()
    prepared = EmbeddedValkey(home=tmp_path, port=port).prepare()

    async with running(prepared):
        async with redis.asyncio.from_url(prepared.url) as client:
            assert await client.set("key", "value", ex=60)
            assert await client.get("key") == b"value"
        async with redis.asyncio.Redis(port=port, retry=valkey.NO_RETRY) as stranger:
            with pytest.raises(AuthenticationError):
                await stranger.get("key")
    assert {name: mode & 0o077 for name, mode in modes_in(tmp_path).items()} == {
        "valkey.conf": 0,
        "password": 0,
    }


async def test_it_listens_on_loopback_alone(tmp_path: Path) -> None:
    """A development store is nobody else's business."""
    prepared = EmbeddedValkey(home=tmp_path, port=free_port()).prepare()

    async with running(prepared) as pid:
        addresses = {
            connection.laddr.ip
            for connection in psutil.Process(pid).net_connections("inet")
            if connection.status == psutil.CONN_LISTEN
        }
    assert addresses == {"127.0.0.1"}


async def test_a_full_store_drops_old_keys_and_refuses_nobody(tmp_path: Path) -> None:
    """A limiter that cannot write would turn callers away for no fault of theirs."""
    prepared = EmbeddedValkey(home=tmp_path, port=free_port(), memory_max_mib=3).prepare()

    async with running(prepared), redis.asyncio.from_url(prepared.url) as client:
        for number in range(300):
            await client.set(f"key{number}", b"x" * 20_000, ex=100 + number)
        assert await client.get("key299") is not None
        assert 0 < await client.dbsize() < 300


def test_a_restart_keeps_the_password(tmp_path: Path) -> None:
    """Processes that outlive the store connect again without a new configuration."""
    embedded = EmbeddedValkey(home=tmp_path, port=6390)

    assert embedded.prepare().url == embedded.prepare().url
    password = embedded.prepare().url.split(":")[2].split("@")[0]
    assert password not in repr(embedded.prepare())


async def test_a_store_that_does_not_run_is_not_ready(tmp_path: Path) -> None:
    """The probe answers, it does not raise."""
    prepared = EmbeddedValkey(home=tmp_path, port=free_port()).prepare()

    assert not await prepared.is_ready()


def test_a_machine_without_valkey_is_told_what_to_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The text has the command, and the way to do without."""
    monkeypatch.setattr(valkey, "wheel_server", lambda: None)
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(ValkeyMissingError) as raised:
        find_server()
    assert "gx-protocol[local]" in str(raised.value)
    assert "--no-redis" in str(raised.value)
