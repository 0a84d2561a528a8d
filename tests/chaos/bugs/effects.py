"""Bugs that no fault needs: what is done, or told, is not what was asked for."""

from collections.abc import Sequence
from dataclasses import replace as change
from typing import Final

from gx.chaincode.batch import Batch
from gx.chaincode.context import Effect
from gx.chaincode.dispatch import PreparedCall
from gx.domain.batches import BatchItem
from gx.domain.refusals import RefusalCode, RefusedError
from gx.outbox import proposals
from gx.outbox.ports import Acceptance, Entry, NewCommand
from gx.outbox.postgres.inbox import PostgresCommandInbox
from tests.chaos.bugs.replacing import replace

_TRANSFER: Final = "TokenomicsContract:Transfer"


def no_effect() -> None:
    """A transfer is answered as done, and nothing moves."""
    original = Batch._run

    def run(self: Batch, item: BatchItem, call: PreparedCall | RefusedError) -> Effect:
        is_transfer = item.function == _TRANSFER
        return Effect(events=()) if is_transfer else original(self, item, call)

    replace(Batch, "_run", run)


def one_unit() -> None:
    """A transfer moves one unit, whatever it was to move."""
    original = Batch._prepare

    def prepare(self: Batch, item: BatchItem) -> PreparedCall | RefusedError:
        if item.function == _TRANSFER:
            item = change(item, args=tuple("1" if a.isdigit() else a for a in item.args))
        return original(self, item)

    replace(Batch, "_prepare", prepare)


def refuses_all() -> None:
    """A transfer is refused for want of money that is there."""
    original = Batch._run

    def run(self: Batch, item: BatchItem, call: PreparedCall | RefusedError) -> Effect:
        if item.function == _TRANSFER:
            raise RefusedError(RefusalCode.INSUFFICIENT_FUNDS, "planted")
        return original(self, item, call)

    replace(Batch, "_run", run)


def stale_amount() -> None:
    """A transfer is sent with the amount of the one before it."""
    original = proposals._call_of
    before: list[str] = []

    def call_of(entry: Entry) -> tuple[str, tuple[str, ...]]:
        function, args = original(entry)
        amount = entry.arguments.get("amount")
        if function != _TRANSFER or amount is None:
            return function, args
        before.append(amount)
        return function, tuple(before[-2:][0] if each == amount else each for each in args)

    replace(proposals, "_call_of", call_of)


def swapped_ids() -> None:
    """Of requests that are stored together, each is told the id of the next one."""
    original = PostgresCommandInbox.accept

    async def accept(
        self: PostgresCommandInbox, commands: Sequence[NewCommand]
    ) -> Sequence[Acceptance | Exception]:
        answers = list(await original(self, commands))
        return [*answers[1:], *answers[:1]]

    replace(PostgresCommandInbox, "accept", accept)
