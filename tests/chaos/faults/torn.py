"""A ledger's file that is not what was written."""

import asyncio
import json
import random
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar, Final

from typing_extensions import override

from gx.ledger.kinds import LedgerKind
from tests.chaos import damage
from tests.chaos.faults.kind import Declaration, FaultKind

LEDGER: Final = "ledger"
REFUSED_WITHIN_S: Final = 60.0
NEAR_THE_END: Final = 20
SAID_MAX: Final = 400
FLIPPED, CUT = 1.0, 2.0


class TornTail(FaultKind):
    """A write that was under way when the machine died: nothing of it was answered."""

    declaration: ClassVar = Declaration(
        name="torn-tail",
        does="the ledger is killed, and half a write stands at the end of its log",
        targets={LedgerKind.LOCAL: (LEDGER,)},
        weight=3,
    )

    @override
    async def make(self) -> None:
        with self.stage.nobody_restarts():
            await self.stage.kill_for_good(LEDGER)
            await asyncio.to_thread(damage.tear_log, self.stage.loop.ledger_file, str(self.fault))


class FlippedByte(FaultKind):
    """A block that is not what was hashed: it must be refused, and named, until it is restored."""

    declaration: ClassVar = Declaration(
        name="flipped-byte",
        does="a bit of a block flips (1), or the last one is cut in half (2); a copy is restored",
        targets={LedgerKind.LOCAL: (LEDGER,)},
        amounts=(FLIPPED, CUT),
        weight=2,
    )

    @override
    async def make(self) -> None:
        self._log_bytes = self._log.stat().st_size
        with self.stage.nobody_restarts():
            await self.stage.kill_for_good(LEDGER)
            await asyncio.to_thread(self._damage)

    @override
    async def mend(self) -> Sequence[str]:
        found = [*await self._refusal(), *await self._verification()]
        with self.stage.nobody_restarts():
            await self.stage.kill_for_good(LEDGER)
            await asyncio.to_thread(damage.restore_folder, self._copy, self._file.parent)
        return found

    def _damage(self) -> None:
        newest = damage.newest_block(self._file)
        damage.copy_folder(self._file.parent, self._copy)
        chance = random.Random(str(self.fault))  # noqa: S311 (damage, not secrets)
        if self.fault.amount == CUT:
            self._number = newest
            damage.cut_block(self._file, newest)
        else:
            self._number = max(0, newest - chance.randrange(NEAR_THE_END))
            damage.flip_byte(self._file, self._number)

    async def _refusal(self) -> Sequence[str]:
        """Expect the ledger to say which block it does not serve, and not to serve it."""
        words = f"block {self._number}"
        try:
            async with asyncio.timeout(REFUSED_WITHIN_S):
                while not ("not served" in (said := self._said()) and words in said):  # noqa: ASYNC110 (a file has no event)
                    await asyncio.sleep(0.1)
        except TimeoutError:
            said = self._said()[-SAID_MAX:]
            return [f"{self.fault}: the ledger did not refuse its damaged {words}: {said}"]
        return ()

    async def _verification(self) -> Sequence[str]:
        """Expect `gx ledger verify` to name the block."""
        _, output = await self.stage.gx("ledger", "verify", "--json")
        difference = str(json.loads(output)["difference"]) if output else "nothing"
        if difference.startswith(f"block {self._number} "):
            return ()
        return [f"{self.fault}: block {self._number} is damaged, verify says {difference}"]

    def _said(self) -> str:
        data = self._log.read_bytes()
        return data[self._log_bytes if len(data) >= self._log_bytes else 0 :].decode(
            errors="replace"
        )

    @property
    def _file(self) -> Path:
        return self.stage.loop.ledger_file

    @property
    def _log(self) -> Path:
        return self.stage.loop.folder / "log" / "ledger.log"

    @property
    def _copy(self) -> Path:
        return self.stage.loop.folder / "ledger-copy"
