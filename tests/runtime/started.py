"""The readiness of a test's program that has nothing to ask."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class StartedReady:
    """Ready as soon as it runs."""

    async def fault(self) -> None:
        """Find none."""
