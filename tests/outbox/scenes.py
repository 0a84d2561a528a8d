"""What tests of the submitter say again and again."""

from collections.abc import Sequence

from gx.domain.identifiers import CommandId
from gx.domain.roles import LedgerRole
from gx.outbox.ports import CommandStatus, NewCommand
from tests.conformance.outbox.worlds import OutboxWorld
from tests.outbox.builders import a_command, eventually
from tests.outbox.fake_ledger import FakeLedger


def a_mint(
    account: str, *, remark: str = "for the test", role: LedgerRole | None = None
) -> NewCommand:
    """Build a command that conflicts only with those on the same account."""
    return a_command(
        account=account,
        remark=remark,
        scopes=frozenset({f"account:{account}"}),
        role=role or LedgerRole.SUPER_ADMIN,
    )


async def accept(world: OutboxWorld, *commands: NewCommand) -> list[CommandId]:
    """Store commands and return their ids."""
    return [answer.command_id for answer in await world.accept(*commands)]


async def statuses(world: OutboxWorld, ids: Sequence[CommandId]) -> list[CommandStatus]:
    """Read the commands' statuses in order."""
    by_id = {view.command_id: view.status for view in await world.reader.find_many(ids)}
    return [by_id[command_id] for command_id in ids]


async def wait_for(
    world: OutboxWorld,
    ids: Sequence[CommandId],
    status: CommandStatus = CommandStatus.COMMITTED,
    *,
    timeout_s: float = 30.0,
) -> None:
    """Wait until every command has the status."""

    async def holds() -> bool:
        return set(await statuses(world, ids)) == {status}

    await eventually(holds, timeout_s=timeout_s)


def assert_each_once(ledger: FakeLedger, ids: Sequence[CommandId]) -> None:
    """Every command took effect once, and nothing else did."""
    assert ledger.effects == dict.fromkeys(ids, 1)
