"""What a process that runs the contracts exports: the chaincode, and the local ledger."""

from typing import Final

from gx.telemetry.catalogue.dimensions import (
    CALL_STATUS,
    CONTRACT,
    CONTRACT_HOSTS,
    FUNCTION,
    INVALIDATIONS,
    LATENCY_BOUNDS_MS,
    LATENCY_BOUNDS_S,
    LEDGER,
    QUOTED,
)
from gx.telemetry.metric import Kind, Label, Metric, Unit

CHAINCODE_REQUESTS: Final = Metric(
    name="chaincode_requests_total",
    kind=Kind.COUNTER,
    help="Contract functions executed, by outcome; each command of a batch counts.",
    unit=Unit.COUNT,
    processes=CONTRACT_HOSTS,
    labels=(CONTRACT, FUNCTION, CALL_STATUS),
)
CHAINCODE_REQUEST_DURATION: Final = Metric(
    name="chaincode_request_duration_ms",
    kind=Kind.HISTOGRAM,
    help="Time that executing a contract function took.",
    unit=Unit.MILLISECONDS,
    processes=CONTRACT_HOSTS,
    labels=(CONTRACT, FUNCTION),
    buckets=LATENCY_BOUNDS_MS,
    unit_exception=QUOTED,
)
CHAINCODE_STREAMS: Final = Metric(
    name="chaincode_streams",
    kind=Kind.GAUGE,
    help="Open connections that bring calls: peers on Fabric, clients on the local ledger.",
    unit=Unit.COUNT,
    processes=CONTRACT_HOSTS,
)
LOCAL_LEDGER_HEIGHT: Final = Metric(
    name="local_ledger_block_height",
    kind=Kind.GAUGE,
    help="Blocks in the local ledger's own store.",
    unit=Unit.COUNT,
    processes=LEDGER,
)
LOCAL_LEDGER_TRANSACTIONS: Final = Metric(
    name="local_ledger_transactions_total",
    kind=Kind.COUNTER,
    help="Transactions recorded in blocks, by validation code.",
    unit=Unit.COUNT,
    processes=LEDGER,
    labels=(
        Label(
            "validation_code",
            values=("VALID", *INVALIDATIONS),
            fallback="OTHER",
        ),
    ),
)
LOCAL_LEDGER_COMMIT_DURATION: Final = Metric(
    name="local_ledger_commit_duration_seconds",
    kind=Kind.HISTOGRAM,
    help="Time to validate a block and make it durable.",
    unit=Unit.SECONDS,
    processes=LEDGER,
    buckets=LATENCY_BOUNDS_S,
)
LOCAL_LEDGER_REQUESTS: Final = Metric(
    name="local_ledger_requests_total",
    kind=Kind.COUNTER,
    help="Requests of the ledger's clients, by operation and outcome.",
    unit=Unit.COUNT,
    processes=LEDGER,
    labels=(
        Label(
            "operation",
            values=("prepare", "submit", "verdict", "evaluate", "blocks", "chain_info"),
        ),
        CALL_STATUS,
    ),
)
LOCAL_LEDGER_EVENT_STREAMS: Final = Metric(
    name="local_ledger_event_streams",
    kind=Kind.GAUGE,
    help="Clients that follow the block stream.",
    unit=Unit.COUNT,
    processes=LEDGER,
)
LOCAL_LEDGER_STATE_KEYS: Final = Metric(
    name="local_ledger_state_keys",
    kind=Kind.GAUGE,
    help="Keys in the world state.",
    unit=Unit.COUNT,
    processes=LEDGER,
)
LOCAL_LEDGER_STORE: Final = Metric(
    name="local_ledger_store_bytes",
    kind=Kind.GAUGE,
    help="Size of the ledger's files on disk, its write-ahead log included.",
    unit=Unit.BYTES,
    processes=LEDGER,
)
LOCAL_LEDGER_LAST_BLOCK: Final = Metric(
    name="local_ledger_last_block_timestamp_seconds",
    kind=Kind.GAUGE,
    help="When the last block was committed.",
    unit=Unit.TIMESTAMP_SECONDS,
    processes=LEDGER,
)

METRICS: Final = (
    CHAINCODE_REQUESTS,
    CHAINCODE_REQUEST_DURATION,
    CHAINCODE_STREAMS,
    LOCAL_LEDGER_HEIGHT,
    LOCAL_LEDGER_TRANSACTIONS,
    LOCAL_LEDGER_COMMIT_DURATION,
    LOCAL_LEDGER_REQUESTS,
    LOCAL_LEDGER_EVENT_STREAMS,
    LOCAL_LEDGER_STATE_KEYS,
    LOCAL_LEDGER_STORE,
    LOCAL_LEDGER_LAST_BLOCK,
)
