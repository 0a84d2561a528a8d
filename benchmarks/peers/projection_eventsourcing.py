"""eventsourcing: record transfers, project them to balances. A peer's process; see `figures`.

Its own recorder and runner, with the insert as a database function and one row of tracking, both of
which its documentation recommends. Each event's effect and its tracking are one transaction.
"""

from collections.abc import Iterator
from itertools import islice
from typing import Final
from uuid import UUID, uuid4

from eventsourcing.application import Application
from eventsourcing.domain import DomainEvent
from eventsourcing.persistence import StoredEvent, Tracking
from eventsourcing.postgres import PostgresDatastore, PostgresTrackingRecorder
from eventsourcing.projection import Projection, ProjectionRunner
from psycopg.conninfo import conninfo_to_dict
from psycopg.sql import SQL
from typing_extensions import override

from benchmarks.peers.figures import PeerFigures, PeerPlan, Stopwatch, answer, read_plan
from benchmarks.transfers import AMOUNT, random_transfers

CONFIGURATION: Final = (
    "psycopg 3 in C, PostgresApplicationRecorder with database functions, ProjectionRunner, one "
    "row of tracking; two balances and the tracking are one transaction an event"
)
PATIENCE_S: Final = 200.0

TABLE: Final = SQL(
    "CREATE TABLE balances (account text PRIMARY KEY, balance bigint NOT NULL)"
).format()
MOVE: Final = SQL(
    "INSERT INTO balances AS b VALUES (%(sender)s, -%(amount)s), (%(receiver)s, %(amount)s)"
    " ON CONFLICT (account) DO UPDATE SET balance = b.balance + EXCLUDED.balance"
)


class Transferred(DomainEvent):
    """A transfer as an event of an aggregate of its own."""

    sender: str
    receiver: str
    amount: int


class Transfers(Application[UUID]):
    """What records the events."""


class Balances(PostgresTrackingRecorder):
    """What they are projected to."""

    def __init__(self, datastore: PostgresDatastore, **kwargs: str) -> None:
        super().__init__(datastore, **kwargs)
        self.sql_create_statements.append(TABLE)

    def move(self, event: Transferred, tracking: Tracking) -> None:
        """Move two balances and the tracking, or nothing."""
        moved = {"sender": event.sender, "receiver": event.receiver, "amount": event.amount}
        with self.datastore.transaction(commit=True) as cursor:
            cursor.execute(MOVE, moved, prepare=True)
            self._insert_tracking(cursor, tracking)


class BalanceProjection(Projection[Balances]):
    """How they are projected."""

    @override
    def process_event(self, domain_event: Transferred, tracking: Tracking) -> None:
        """Take in one event."""
        self.view.move(domain_event, tracking)


def main(plan: PeerPlan) -> PeerFigures:
    """Measure recording and projecting from an empty database on."""
    environment = _environment(plan.dsn)
    app = Transfers(env=environment)
    events = list(islice(_events(app), plan.jobs + plan.single))
    watch = Stopwatch()
    for event in events[: plan.single]:
        app.recorder.insert_events([event])
    single_per_s = watch.per_s(plan.single)
    watch = Stopwatch()
    for first in range(plan.single, len(events), plan.bulk):
        app.recorder.insert_events(events[first : first + plan.bulk])
    bulk_per_s = watch.per_s(plan.jobs)
    watch = Stopwatch()
    with ProjectionRunner(
        application_class=Transfers,
        projection_class=BalanceProjection,
        view_class=Balances,
        env=environment,
    ) as runner:
        runner.wait(app.recorder.max_notification_id(), timeout=PATIENCE_S)
        done_per_s, cpu_us = watch.per_s(len(events)), watch.cpu_us(len(events))
    return PeerFigures(
        configuration=CONFIGURATION,
        single_per_s=single_per_s,
        bulk_per_s=bulk_per_s,
        done_per_s=done_per_s,
        cpu_us=cpu_us,
    )


def _events(app: Transfers) -> Iterator[StoredEvent]:
    for transfer in random_transfers(1):
        event = Transferred(
            originator_id=uuid4(),
            originator_version=1,
            timestamp=Transferred.create_timestamp(),
            sender=transfer.sender,
            receiver=transfer.receiver,
            amount=int(AMOUNT),
        )
        yield app.mapper.to_stored_event(event)


def _environment(dsn: str) -> dict[str, str]:
    parts = conninfo_to_dict(dsn)
    return {
        "PERSISTENCE_MODULE": "eventsourcing.postgres",
        "POSTGRES_DBNAME": str(parts["dbname"]),
        "POSTGRES_HOST": str(parts["host"]),
        "POSTGRES_PORT": str(parts.get("port", 5432)),
        "POSTGRES_USER": str(parts["user"]),
        "POSTGRES_PASSWORD": str(parts.get("password", "")),
        "POSTGRES_ENABLE_DB_FUNCTIONS": "y",
    }


if __name__ == "__main__":
    answer(main(read_plan()))
