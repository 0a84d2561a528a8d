"""The chain of a run, as a worse ledger would have written it."""

import json
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace

import msgspec

from gx.ledger.ports import Block
from tests.chaos.chains import World


class EditedChain:
    """The run's blocks, and what a worse ledger would have added or changed."""

    def __init__(self, blocks: Sequence[Block]) -> None:
        self._blocks = blocks

    async def height(self) -> int:
        """See `Chain`."""
        return len(self._blocks)

    async def blocks(self) -> AsyncIterator[Block]:
        """See `Chain`."""
        for block in self._blocks:
            yield block

    async def defects(self) -> list[str]:
        """See `Chain`."""
        return []

    async def state_defects(self, world: World) -> list[str]:  # noqa: ARG002 (see `Chain`)
        """See `Chain`."""
        return []


Decision = dict[str, object]


def rewritten(block: Block, change: Callable[[Decision], Decision]) -> Block:
    """Tell another end of the block's one command."""
    (transaction,) = block.transactions
    assert transaction.event is not None
    payload = json.loads(transaction.event.payload)
    payload["outcomes"] = [change(each) for each in payload["outcomes"]]
    event = replace(transaction.event, payload=json.dumps(payload))
    return replace(block, transactions=(replace(transaction, event=event),))


def with_event(**changes: object) -> Callable[[Decision], Decision]:
    """Change what the one event of a decision says."""

    def change(decision: Decision) -> Decision:
        (event,) = msgspec.convert(decision["events"], list[dict[str, object]])
        return {**decision, "events": [{**event, **changes}]}

    return change


def twice(decision: Decision) -> Decision:
    """Tell the one event of a decision twice."""
    (event,) = msgspec.convert(decision["events"], list[dict[str, object]])
    return {**decision, "events": [event, event]}
