"""Waits for what a Fabric node's own health does not tell: that it listens, leads, endorses."""

import asyncio
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import httpx

from gx.domain.errors import GxError
from gx.domain.roles import LedgerRole
from gx.ledger.errors import EndorseError, LedgerError
from gx.ledger.ports import Ledger, Proposal
from gx.runtime.ledgers import open_fabric
from gx.runtime.settings import CommonSettings

PATIENCE_S: Final = 60.0
POLL_S: Final = 0.1
LEADER: Final = "consensus_etcdraft_is_leader"
HARMLESS: Final = Proposal(
    function="AdminContract:GetSystemStatus", arguments=(), role=LedgerRole.PARTNER_API
)
"""Endorsed by every organisation that must, and never submitted."""


class NotEndorsingError(GxError):
    """The channel's peers do not endorse; the text says what they answered last."""


class NotListeningError(GxError):
    """A healthy node does not listen; the text names the port."""


class NotOrderingError(GxError):
    """The channel has no leader among its orderers."""


async def wait_until_listening(host: str, ports: Iterable[int]) -> None:
    """Return once each port takes connections: a node says it is healthy before it listens.

    Raises:
        NotListeningError: one does not within a minute.
    """
    deadline = time.monotonic() + PATIENCE_S
    for port in ports:
        while not await _listens(host, port):
            if time.monotonic() > deadline:
                raise NotListeningError(f"a Fabric node does not listen on {host}:{port}")
            await asyncio.sleep(POLL_S)


async def _listens(host: str, port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection(host, port)
    except OSError:
        return False
    writer.close()
    return True


async def wait_until_ordering(operations_url: str, channel: str) -> None:
    """Return once the channel's orderer leads: until then it refuses every transaction.

    Raises:
        NotOrderingError: it does not within a minute.
    """
    deadline = time.monotonic() + PATIENCE_S
    leads = f'{LEADER}{{channel="{channel}"}} 1'
    async with httpx.AsyncClient(base_url=operations_url, trust_env=False) as operations:
        while leads not in await _metrics(operations):
            if time.monotonic() > deadline:
                raise NotOrderingError(
                    f"the orderer of {channel} has no Raft leader after {PATIENCE_S:.0f} s"
                )
            await asyncio.sleep(POLL_S)


async def _metrics(operations: httpx.AsyncClient) -> list[str]:
    try:
        return (await operations.get("/metrics")).text.splitlines()
    except httpx.HTTPError:
        return []


async def wait_until_endorsing(common: CommonSettings, profile: Path) -> None:
    """Return once the channel's peers endorse a call of the chaincode together.

    Raises:
        NotEndorsingError: they do not within a minute.
        GxError: the profile, or an identity in it, cannot be used.
    """
    ledger = open_fabric(common, profile)
    deadline = time.monotonic() + PATIENCE_S
    try:
        while (problem := await _problem(ledger)) is not None:
            if time.monotonic() > deadline:
                raise NotEndorsingError(
                    f"the channel does not endorse after {PATIENCE_S:.0f} s: {problem}"
                )
            await asyncio.sleep(POLL_S)
    finally:
        await ledger.close()


async def _problem(ledger: Ledger) -> str | None:
    try:
        await ledger.prepare(HARMLESS)
    except EndorseError as error:
        return None if error.refusal is not None else str(error)
    except LedgerError as error:
        return str(error)
    return None
