"""Waits until a Fabric channel endorses: after any start the peers must first find each other."""

import asyncio
import time
from pathlib import Path
from typing import Final

from gx.domain.errors import GxError
from gx.domain.roles import LedgerRole
from gx.ledger.errors import EndorseError, LedgerError
from gx.ledger.ports import Ledger, Proposal
from gx.runtime.ledgers import open_fabric
from gx.runtime.settings import CommonSettings

PATIENCE_S: Final = 60.0
POLL_S: Final = 0.1
HARMLESS: Final = Proposal(
    function="AdminContract:GetSystemStatus", arguments=(), role=LedgerRole.PARTNER_API
)
"""Endorsed by every organisation that must, and never submitted."""


class NotEndorsingError(GxError):
    """The channel's peers do not endorse; the text says what they answered last."""


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
