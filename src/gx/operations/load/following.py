"""Finds out what became of many commands with few questions."""

import asyncio
import math
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Final

from gx.client.client import QUERY_IDS_MAX
from gx.domain.codec import JsonValue
from gx.domain.command_status import CommandStatus
from gx.operations.load.connection import ConnectionLostError, ConnectionPool, Reply
from gx.operations.load.delivery import describe_refusal, read_object
from gx.operations.load.mix import Kind
from gx.operations.load.requests import RequestWriter

ROUND_S: Final = 1.0
DRAIN_ROUND_S: Final = 0.25
EXAMPLES_MAX: Final = 10
_HEADROOM: Final = 1.5


@dataclass(frozen=True, slots=True)
class FollowedCommand:
    """An accepted command that is not final yet."""

    command_id: str
    kind: Kind


@dataclass(slots=True)
class Outcomes:
    """How the followed commands ended: counts by kind, status and code, and the first surprises."""

    counts: Counter[tuple[Kind, CommandStatus, str]] = field(default_factory=Counter)
    surprises: list[str] = field(default_factory=list)
    surprise_count: int = 0

    def add(self, command: FollowedCommand, status: CommandStatus, code: str) -> None:
        """Take in one final command."""
        self.counts[command.kind, status, code] += 1
        if not is_as_expected(command.kind, status, code):
            self.surprise_count += 1
            if len(self.surprises) < EXAMPLES_MAX:
                self.surprises.append(
                    f"{command.kind} {command.command_id} is {status} {code}".rstrip()
                )

    def total(self, status: CommandStatus) -> int:
        """Count the commands that ended with this status."""
        return sum(number for (_, ended, _), number in self.counts.items() if ended is status)

    @property
    def refused_as_expected(self) -> int:
        """Count the commands that the ledger refused as it should."""
        return self.total(CommandStatus.REJECTED) - sum(
            number
            for (kind, ended, code), number in self.counts.items()
            if ended is CommandStatus.REJECTED and not is_as_expected(kind, ended, code)
        )


def is_as_expected(kind: Kind, status: CommandStatus, code: str) -> bool:
    """Tell whether a command of this kind should have ended like this."""
    if kind.expected_refusal is None:
        return status is CommandStatus.PROJECTED
    return status is CommandStatus.REJECTED and code == kind.expected_refusal


class Follower:
    """Asks for all open commands in turns, hundreds in one question, about once a second."""

    def __init__(self, *, pool: ConnectionPool, writer: RequestWriter, rate_per_s: float) -> None:
        self._pool = pool
        self._writer = writer
        self._open: deque[FollowedCommand] = deque()
        self._questions_per_round = 1 + math.ceil(rate_per_s * ROUND_S * _HEADROOM / QUERY_IDS_MAX)
        self.outcomes = Outcomes()
        self.failure = ""
        """Why the newest question had no answer; empty if it had one."""

    @property
    def open_count(self) -> int:
        """Tell how many accepted commands are not known to be final."""
        return len(self._open)

    def follow(self, command: FollowedCommand) -> None:
        """Take on one more command."""
        self._open.append(command)

    async def run(self) -> None:
        """Ask in rounds until cancelled, never faster than commands come in."""
        while True:
            await asyncio.sleep(ROUND_S)
            await self._round(self._questions_per_round)

    async def drain(self, *, timeout_s: float) -> bool:
        """Ask until nothing is open; False if something still is after `timeout_s`."""
        deadline_s = asyncio.get_running_loop().time() + timeout_s
        while self._open:
            await self._round(math.ceil(len(self._open) / QUERY_IDS_MAX))
            if not self._open:
                break
            if asyncio.get_running_loop().time() >= deadline_s:
                return False
            await asyncio.sleep(DRAIN_ROUND_S)
        return True

    async def _round(self, questions: int) -> None:
        for _ in range(questions):
            if not self._open:
                return
            size = min(QUERY_IDS_MAX, len(self._open))
            await self._ask([self._open.popleft() for _ in range(size)])

    async def _ask(self, commands: Sequence[FollowedCommand]) -> None:
        question = self._writer.lookup([command.command_id for command in commands])
        still_open = commands
        try:
            still_open = self._sort_out(commands, await self._pool.exchange(question))
        except ConnectionLostError as error:
            self.failure = str(error)
        finally:  # also when cancelled: the next round asks again
            self._open.extend(still_open)

    def _sort_out(
        self, commands: Sequence[FollowedCommand], reply: Reply
    ) -> Sequence[FollowedCommand]:
        """Take the final commands in and return the others."""
        body = read_object(reply)
        self.failure = "" if reply.status == HTTPStatus.OK else describe_refusal(reply)
        answers = dict(_statuses(body.get("items")))
        still_open: list[FollowedCommand] = []
        for command in commands:
            status, code = answers.get(command.command_id, (CommandStatus.PENDING, ""))
            if status.is_final:
                self.outcomes.add(command, status, code)
            else:
                still_open.append(command)
        return still_open


def _statuses(items: JsonValue) -> Iterator[tuple[str, tuple[CommandStatus, str]]]:
    for item in items if isinstance(items, list) else []:
        if isinstance(item, dict):
            code = item.get("code")
            yield (
                str(item.get("commandId")),
                (CommandStatus(str(item.get("status"))), code if isinstance(code, str) else ""),
            )
