"""Numbers that a stand-in was told to say: gauges that stand, and counters that go on growing."""

from collections.abc import Iterable, Mapping
from typing import TypeAlias

import msgspec


class Statement(msgspec.Struct, frozen=True, rename="camel"):
    """One series. A counter grows by `per_second` from where it is, or from `value`."""

    name: str
    value: float = 0.0
    labels: Mapping[str, str] = {}
    per_second: float | None = None

    def at(self, since_s: float, now_s: float) -> float:
        """Return what it is now."""
        return self.value + (self.per_second or 0.0) * (now_s - since_s)


_Key: TypeAlias = tuple[str, frozenset[tuple[str, str]]]


class Spoken:
    """What is said now. New statements replace all; a counter that stays goes on where it was."""

    def __init__(self) -> None:
        self._said: dict[_Key, tuple[Statement, float]] = {}

    def say(self, statements: Iterable[Statement], now_s: float) -> None:
        """Say these from now on, and nothing else."""
        said: dict[_Key, tuple[Statement, float]] = {}
        for each in statements:
            key = (each.name, frozenset(each.labels.items()))
            before = self._said.get(key)
            kept = each
            if before is not None and each.per_second is not None:
                kept = msgspec.structs.replace(each, value=before[0].at(before[1], now_s))
            said[key] = (kept, now_s)
        self._said = said

    def exposition(self, now_s: float) -> bytes:
        """Write all of it as a scrape gets it."""
        lines = (
            f"{each.name}{_labels(each.labels)} {each.at(since_s, now_s):.17g}\n"
            for each, since_s in self._said.values()
        )
        return "".join(lines).encode()


def _labels(labels: Mapping[str, str]) -> str:
    if not labels:
        return ""
    return "{" + ",".join(f'{name}="{value}"' for name, value in labels.items()) + "}"
