"""Defects of contract code. They are no refusals: the transaction that meets one fails whole."""

from collections.abc import Sequence

from gx.domain.errors import GxError


class IncompleteRegistryError(GxError):
    """The catalogue and the contract functions do not match; the process must not start."""

    def __init__(self, faults: Sequence[str]) -> None:
        super().__init__("catalogue and contracts do not match: " + "; ".join(faults))
        self.faults = tuple(faults)


class InvariantError(GxError):
    """A contract found its own promise broken and stopped before anything was written."""
