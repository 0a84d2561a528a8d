"""A small system to compare: a chain, its read models, and an outbox that settled all of it."""

from dataclasses import dataclass
from uuid import UUID

import asyncpg

from gx.database.leases import PostgresLeases
from gx.database.pool import Pool
from gx.domain.batches import BATCH_EVENT, parse_outcomes
from gx.domain.codec import encode
from gx.domain.differences import Difference, DifferenceKind
from gx.ledger.ports import Block, BlockSource, event_transactions
from gx.operations.reconcile import LedgerCheck, Reconciliation, Report, Sides
from gx.outbox.postgres.comparing import Declaration, PostgresAnswerBook
from gx.projection.postgres.replica import PostgresReplica
from gx.projection.postgres.store import PostgresReadModelStore
from tests.projection.chain import Chain
from tests.projection.running import CHANNEL, Bench

ACCEPT = """
    INSERT INTO commands (command_id, command_type, arguments, actor, subject, role, accepted_at_ms)
    VALUES ($1, 'TransferCoins', '{}', 'tester', 'tester', 'partner_api', 1)
        ON CONFLICT DO NOTHING
"""
SETTLE = """
    INSERT INTO command_results (command_id, outcome, code, detail, result, transaction_id,
                                 block_number, attempts, settled_at_ms)
    VALUES ($1, $2, $3, $4, $5, $6, $7, 0, 1) ON CONFLICT DO NOTHING
"""


@dataclass
class Compared:
    """What is compared, with everything agreeing once `settle` and `project` are done."""

    chain: Chain
    pool: Pool
    leases: PostgresLeases
    source: BlockSource | None = None
    """Where blocks are read from, where that is not the chain itself."""
    check_ledger: LedgerCheck | None = None

    async def settle(self, *blocks: Block) -> None:
        """Put on record what blocks answered, all of them by default."""
        for block in blocks or self.chain.committed:
            for transaction in event_transactions(block):
                assert transaction.event is not None
                if transaction.event.name != BATCH_EVENT:
                    continue
                for outcome in parse_outcomes(transaction.event.payload):
                    command_id = UUID(outcome.command_id)
                    await self.pool.execute(ACCEPT, command_id)
                    await self.pool.execute(
                        SETTLE,
                        *(command_id, outcome.outcome, outcome.code, outcome.detail),
                        *(None if outcome.result is None else encode(outcome.result),),
                        *(outcome.duplicate_of or transaction.transaction_id, block.number),
                    )

    async def project(self) -> None:
        """Bring the read models to the newest block."""
        store = PostgresReadModelStore(self.pool, channel=CHANNEL)
        bench = Bench(source=self.chain, store=store, leases=self.leases)
        async with bench.running():
            await bench.reaches(len(self.chain.committed) - 1)

    async def compare(self, declaration: Declaration | None = None) -> Report:
        """Compare all of it."""
        sides = Sides(
            source=self.source or self.chain,
            live=PostgresReadModelStore(self.pool, channel=CHANNEL),
            replica=PostgresReplica(self.pool, channel=CHANNEL),
            book=PostgresAnswerBook(self.pool, declaration=declaration),
            check_ledger=self.check_ledger,
        )
        return await Reconciliation(sides, lambda _: None).run()

    async def first(self) -> Difference:
        """Compare, and return the first difference."""
        report = await self.compare()
        assert report.tally.first is not None, "nothing differs"
        return report.tally.first

    async def kinds(self) -> dict[DifferenceKind, int]:
        """Compare, and count the differences."""
        return dict((await self.compare()).tally.counts)

    async def run(self, statement: str, *arguments: object) -> None:
        """Change the database behind everybody's back."""
        tag = await self.pool.execute(statement, *arguments)
        assert not tag.endswith(" 0"), f"{statement} changed nothing"

    async def some_command(self) -> asyncpg.Record:
        """Return the result of one committed transfer."""
        row = await self.pool.fetch_one(
            "SELECT * FROM command_results WHERE block_number = $1 ORDER BY command_id LIMIT 1",
            len(self.chain.committed) - 1,
        )
        assert row is not None
        return row
