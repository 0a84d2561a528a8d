"""What stand-ins say for programs that are not on this machine: while all is well, and at a fault.

Only the numbers are make-believe; they are scraped, filtered and judged as in production.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, TypeAlias

from gx.monitoring.exporters.fabric import (
    IS_LEADER,
    ORDERER_HEIGHT,
    PEER_HEIGHT,
    PEER_TRANSACTIONS,
    PROPOSAL_DURATION,
    PROPOSALS_RECEIVED,
)
from gx.monitoring.exporters.host import REDIS_UP
from gx.monitoring.external import DISK_AVAILABLE, DISK_SIZE, PG_REPLICATION_LAG
from gx.proof.drills.spoken import Statement
from gx.proof.drills.voices import BACKEND, ORDERER, PEER, REDIS, SECOND
from gx.runtime.clock import SystemClock
from gx.telemetry.catalogue.every_process import CERTIFICATE_EXPIRY
from gx.telemetry.catalogue.write_path import OUTBOX_WORKER_ACTIVE

Sayings: TypeAlias = Mapping[str, Sequence[Statement]]

_CHANNEL: Final = {"channel": "drill"}
_CHAINCODE: Final = {**_CHANNEL, "chaincode": "gx"}
_FAILED: Final = {**_CHAINCODE, "success": "false"}
_DISK: Final = {"mountpoint": "/data", "fstype": "ext4", "device": "/dev/drill"}
HEIGHT: Final = 1_000
_DAY_S: Final = 86_400


def _transactions(valid: float, invalid: float) -> Iterable[Statement]:
    for code, rate in (("VALID", valid), ("MVCC_READ_CONFLICT", invalid)):
        labels = {**_CHAINCODE, "transaction_type": "ENDORSER_TRANSACTION", "validation_code": code}
        yield Statement(PEER_TRANSACTIONS.name, labels=labels, per_second=rate)


def _proposals(received: float, failed: float) -> Iterable[Statement]:
    yield Statement(PROPOSALS_RECEIVED.name, per_second=received)
    yield Statement(f"{PROPOSAL_DURATION.name}_count", labels=_FAILED, per_second=failed)


def peer(*, height: int = HEIGHT, invalid: float = 0.0, failed: float = 0.0) -> list[Statement]:
    """Return what a peer says; `invalid` and `failed` are transactions and proposals a second."""
    return [
        Statement(PEER_HEIGHT.name, height, _CHANNEL),
        *_transactions(5.0, invalid),
        *_proposals(10.0, failed),
    ]


def orderer(*, leads: float = 1.0) -> list[Statement]:
    """Return what an orderer says."""
    return [
        Statement(ORDERER_HEIGHT.name, HEIGHT, _CHANNEL),
        Statement(IS_LEADER.name, leads, _CHANNEL),
    ]


def redis(series: int) -> list[Statement]:
    """Return what the cache's exporter says, in so many series."""
    return [Statement(REDIS_UP.name, 1.0, {"number": str(number)}) for number in range(series)]


def backend(
    *,
    expires_days: float = 365,
    disk_left: float = 0.5,
    replica_lag_s: float = 0.0,
) -> list[Statement]:
    """Return what the exporters of certificates, disks and replicas say."""
    expiry_s = SystemClock().now_ms() / 1_000 + expires_days * _DAY_S
    return [
        Statement(CERTIFICATE_EXPIRY.name, expiry_s, {"identity": "drill"}),
        Statement(DISK_SIZE.name, 1e9, _DISK),
        Statement(DISK_AVAILABLE.name, disk_left * 1e9, _DISK),
        Statement(PG_REPLICATION_LAG.name, replica_lag_s),
    ]


def healthy() -> Sayings:
    """Return what all of them say while nothing is wrong."""
    idle = Statement(OUTBOX_WORKER_ACTIVE.name, 0.0, {"worker": "a"})
    return {
        PEER: peer(),
        ORDERER: orderer(),
        REDIS: redis(3),
        BACKEND: backend(),
        SECOND: [idle],
    }
