"""How much the projection does at once, and how often."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectionSettings:
    """One projector's limits; `channel` says which ledger, `holder` which process this is.

    A chunk ends with the block that reaches `chunk_blocks_max` or `chunk_rows_max` (rows to be
    written). `commit_gap_s` is the least time between the beginnings of two commits: a little
    gathers at a low rate, and after a pause nothing is delayed. `reconcile_s` lies between two
    sums over all accounts.
    """

    channel: str
    holder: str
    lease_s: float = 5.0
    chunk_blocks_max: int = 500
    chunk_rows_max: int = 60_000
    prefetch_bytes_max: int = 16_000_000
    commit_gap_s: float = 0.02
    reconcile_s: float = 30.0

    @property
    def lease_name(self) -> str:
        """The lease that the active projector of the channel holds."""
        return lease_name(self.channel)


def lease_name(channel: str) -> str:
    """Name the lease of a channel's active projector."""
    return f"projector:{channel}"
