"""The labels, bounds and process sets that several metrics share."""

from typing import Final

from gx.telemetry.metric import Label, Process, ValueSource

QUOTED: Final = "quoted by the original rules"

# Each bound of a service level objective (250, 300, 500, 1000 ms; 5 and 10 s) is a bucket's bound,
# so that "how many were within the objective" is exact and not interpolated.
LATENCY_BOUNDS_MS: Final = (5.0, 10.0, 25.0, 50.0, 100.0, 250.0, 300.0, 500.0, 1e3, 2.5e3, 5e3, 1e4)
LATENCY_BOUNDS_S: Final = tuple(bound / 1000 for bound in LATENCY_BOUNDS_MS)
SIZE_BOUNDS_BYTES: Final = (1e2, 1e3, 1e4, 1e5, 1e6, 1e7)
BATCH_BOUNDS: Final = (1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1e3, 2e3, 5e3)

# Samplers read the database and the ledger every few seconds. After this long without a reading
# a gauge is absent: an operator must never look at an old number as if it were now.
SAMPLE_STALE_AFTER_S: Final = 30.0

SUBMITTER: Final = frozenset({Process.SUBMITTER})
PROJECTOR: Final = frozenset({Process.PROJECTOR})
API: Final = frozenset({Process.API})
LEDGER: Final = frozenset({Process.LEDGER})
CHAINCODE: Final = frozenset({Process.CHAINCODE})
WORKERS: Final = SUBMITTER | PROJECTOR
BACKEND: Final = WORKERS | API
# The local ledger runs the contracts itself, so it also says what the chaincode process says.
CONTRACT_HOSTS: Final = CHAINCODE | LEDGER
DEADMAN: Final = frozenset({Process.DEADMAN})
EVERY_PROCESS: Final = BACKEND | CONTRACT_HOSTS | DEADMAN

COMMAND_TYPE: Final = Label("commandType", source=ValueSource.COMMAND_TYPES, fallback="other")
EVENT_TYPE: Final = Label("eventType", source=ValueSource.EVENT_TYPES, fallback="other")
CODE: Final = Label("code", source=ValueSource.REFUSAL_CODES, fallback="OTHER")
SERVICE: Final = Label("service", source=ValueSource.SERVICE)
ENDPOINT: Final = Label("endpoint", source=ValueSource.ROUTES, fallback="unmatched")
METHOD: Final = Label(
    "method",
    values=("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "other"),
    fallback="other",
)
HTTP_STATUS: Final = Label(
    "status",
    values=(
        *("200", "201", "202", "204", "304"),
        *("400", "401", "403", "404", "405", "408", "409", "410", "413", "415", "422", "429"),
        *("431", "500", "503", "other"),
    ),
    fallback="other",
)
CONTRACT: Final = Label("contract", source=ValueSource.CONTRACTS, fallback="other")
FUNCTION: Final = Label("function", source=ValueSource.FUNCTIONS, fallback="other")
CALL_STATUS: Final = Label("status", values=("success", "refused", "error"))

# Fabric's validation codes that a transaction of this system can end with, besides VALID.
INVALIDATIONS: Final = (
    "MVCC_READ_CONFLICT",
    "PHANTOM_READ_CONFLICT",
    "DUPLICATE_TXID",
    "ENDORSEMENT_POLICY_FAILURE",
    "INVALID_ENDORSER_TRANSACTION",
    "BAD_PAYLOAD",
    "INVALID_OTHER_REASON",
)
