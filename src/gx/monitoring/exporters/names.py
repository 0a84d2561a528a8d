"""The programs of others that are scraped, and their jobs' names.

Their jobs do not begin with `gx-`: an exporter that is away blinds us and stops nobody, so
`BackendServiceDown` is not about it.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class Exporter(StrEnum):
    """A program that exports metrics of its own or of something beside it."""

    POSTGRES = "postgres_exporter"
    NODE = "node_exporter"
    REDIS = "redis_exporter"
    PEER = "fabric_peer"
    ORDERER = "fabric_orderer"


EXPORTER_JOBS: Final[Mapping[Exporter, str]] = {
    Exporter.POSTGRES: "postgres",
    Exporter.NODE: "node",
    Exporter.REDIS: "redis",
    Exporter.PEER: "fabric-peer",
    Exporter.ORDERER: "fabric-orderer",
}
