"""Which numbers work moves, and which only trouble does.

Every child of a counter exists at 0 from the start, so that "there is data" proves nothing about
who counts. After some commands went through, whatever is in `MOVED_BY_WORK` must be above 0.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from gx.telemetry.catalogue import contract_host, deadman, edge, read_path, write_path
from gx.telemetry.metric import Metric

_SUCCESS: Final = {"status": "success"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """A counter, or a histogram's count, that is above 0 once the system has worked.

    `labels` says which of its children; all of them together without any.
    """

    metric: Metric
    labels: Mapping[str, str] = field(default_factory=dict)


MOVED_BY_WORK: Final = (
    Moved(metric=write_path.OUTBOX_COMMANDS_PROCESSED, labels=_SUCCESS),
    Moved(metric=write_path.OUTBOX_PROCESSING_DURATION),
    Moved(metric=write_path.OUTBOX_COMMIT_LATENCY),
    Moved(metric=write_path.OUTBOX_BATCH_COMMANDS),
    Moved(metric=write_path.FABRIC_TRANSACTION_SUBMISSIONS, labels=_SUCCESS),
    Moved(metric=write_path.FABRIC_TRANSACTION_DURATION),
    Moved(metric=read_path.PROJECTOR_EVENTS_PROCESSED),
    Moved(metric=read_path.PROJECTOR_PROCESSING_DURATION_MS),
    Moved(metric=edge.HTTP_REQUESTS, labels={"method": "POST", "status": "202"}),
    Moved(metric=edge.HTTP_REQUEST_DURATION),
    Moved(metric=edge.HTTP_REQUEST_SIZE),
    Moved(metric=edge.HTTP_RESPONSE_SIZE),
    Moved(metric=edge.REDIS_COMMANDS, labels=_SUCCESS),
    Moved(metric=contract_host.CHAINCODE_REQUESTS, labels=_SUCCESS),
    Moved(metric=contract_host.CHAINCODE_REQUEST_DURATION),
    Moved(metric=contract_host.LOCAL_LEDGER_TRANSACTIONS, labels={"validation_code": "VALID"}),
    Moved(metric=contract_host.LOCAL_LEDGER_COMMIT_DURATION),
    *(
        Moved(metric=contract_host.LOCAL_LEDGER_REQUESTS, labels={"operation": name, **_SUCCESS})
        for name in ("prepare", "submit", "blocks", "chain_info")
    ),
)

STILL_WITHOUT_TROUBLE: Final = (
    write_path.OUTBOX_COMMANDS_REJECTED,
    write_path.OUTBOX_COMMANDS_DEAD_LETTERED,
    write_path.FABRIC_REENDORSEMENTS,
    write_path.CIRCUIT_BREAKER_TRANSITIONS,
    write_path.CIRCUIT_BREAKER_REJECTIONS,
    read_path.PROJECTOR_EVENTS_FAILED,
    edge.OUTBOX_ADMISSIONS_REFUSED,
    edge.HTTP_WAIT_DURATION,  # nobody must ask the API to wait
    deadman.BEATS,  # heartbeats come from alerting, not from work
    deadman.NOTIFICATIONS,
)
"""May stand at 0 for ever in a sound system."""
