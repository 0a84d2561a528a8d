"""Which ledger a system uses: a setting, so this imports nothing heavy."""

from enum import StrEnum


class LedgerKind(StrEnum):
    """Where the commands go: the embedded ledger, or a Hyperledger Fabric channel."""

    LOCAL = "local"
    FABRIC = "fabric"
