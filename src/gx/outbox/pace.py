"""How many commands a batch may have, so that endorsing it takes no longer than it should.

What a command costs depends on the ledger: a Fabric peer that hands out keys one by one needs
twenty times as long for a batch as one that hands out many at once, and while it endorses it
commits nothing. So the size follows what was measured.
"""

from typing import Final

FIRST: Final = 250
SHRINK_MAX: Final = 4
GROWTH: Final = 2


class Pace:
    """Starts small, doubles while there is time, shrinks when late."""

    def __init__(self, *, commands_max: int, target_s: float) -> None:
        self._commands_max: Final = commands_max
        self._target_s: Final = target_s
        self.commands = min(FIRST, commands_max)
        """How many commands the next batch may have."""

    def endorsed(self, commands: int, seconds: float) -> None:
        """Take in how long a batch took. Only a full one tells that there is room for more."""
        self.failed(commands, seconds)
        if commands >= self.commands and seconds * GROWTH <= self._target_s:
            self.commands = min(self._commands_max, self.commands * GROWTH)

    def failed(self, commands: int, seconds: float) -> None:
        """Take in how long a batch took that came to nothing: perhaps it was too large.

        One late answer may have any reason, so it takes away three quarters at most.
        """
        if seconds > self._target_s:
            fitting = int(commands * self._target_s / seconds)
            self.commands = min(self.commands, max(fitting, self.commands // SHRINK_MAX, 1))
