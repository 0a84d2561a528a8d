"""What runbooks tell people to type: read from the pages, and told apart."""

import re
from dataclasses import dataclass
from typing import Final

from gx.monitoring.alerts import ALERTS
from gx.monitoring.runbooks import FOLDER, REFERENCE
from tests.monitoring.conftest import ROOT

_BLOCK: Final = re.compile(r"```(\w+)\n(.*?)```", re.DOTALL)
_EXPECTED: Final = re.compile(r"  # exits with (\d)\b")
_KUBECTL: Final = "kubectl "

# Read-only first; what takes something away comes last, and each undoing after its doing.
_ORDER: Final = (
    "amtool --alertmanager.url=http://127.0.0.1:30093 alert add",
    "amtool --alertmanager.url=http://127.0.0.1:30093 silence add",
    "curl -sf -X POST",
    "psql",
    "gx dead-letters replay",
    "gx dead-letters discard",
    "gx pause",
    "gx resume",
    "gx db migrate",
    "gx restart",
    "gx projection rebuild",
    "gx smoke",
)


@dataclass(frozen=True, slots=True)
class TypedLine:
    """One line of a runbook, and the pages that have it."""

    text: str
    pages: tuple[str, ...]

    @property
    def exit_code(self) -> int:
        """What the page says that it ends with."""
        said = _EXPECTED.search(self.text)
        return int(said[1]) if said else 0

    @property
    def changes_something(self) -> bool:
        """Whether it is among those that are run one after the other, last."""
        return self.rank > 0

    @property
    def rank(self) -> int:
        """Its place in the order; 0 for what only looks."""
        text = self.text.replace("psql", "psql" if _is_ending(self.text) else "look", 1)
        return next((at for at, start in enumerate(_ORDER, 1) if text.startswith(start)), 0)


def _is_ending(text: str) -> bool:
    return "pg_terminate_backend" in text or "pg_drop_replication_slot" in text


def written_part(name: str) -> str:
    """Return what people wrote on an alert's page."""
    text = (ROOT / FOLDER / f"{name}.md").read_text(encoding="utf-8")
    return text.partition("## Meaning")[2].partition(REFERENCE)[0]


def blocks(name: str, language: str) -> list[str]:
    """Return the lines of an alert's code blocks of one language."""
    return [
        line
        for kind, code in _BLOCK.findall(written_part(name))
        if kind == language
        for line in code.strip().splitlines()
    ]


def _distinct(language: str) -> tuple[TypedLine, ...]:
    pages: dict[str, list[str]] = {}
    for alert in ALERTS:
        for line in blocks(alert.name, language):
            pages.setdefault(line, []).append(alert.name)
    return tuple(TypedLine(text, tuple(names)) for text, names in pages.items())


SHELL_LINES: Final = tuple(line for line in _distinct("bash") if not line.text.startswith(_KUBECTL))
KUBECTL_LINES: Final = tuple(line for line in _distinct("bash") if line.text.startswith(_KUBECTL))
QUERIES: Final = _distinct("promql")
