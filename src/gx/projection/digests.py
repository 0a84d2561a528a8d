"""One number for what all read models hold."""

from collections.abc import Iterable
from hashlib import sha256

import msgspec

from gx.projection.reduction import Cells


class Digest:
    """A hash over models and rows. The same rows in the same order have the same digest."""

    def __init__(self) -> None:
        self._hash = sha256()

    def add(self, model: str, rows: Iterable[Cells]) -> None:
        """Add rows of one model, in the order of its key, all columns in the table's order."""
        for cells in rows:
            self._hash.update(msgspec.json.encode((model, *cells)))

    def text(self) -> str:
        """Return the digest: 64 hexadecimal digits."""
        return self._hash.hexdigest()
