"""What is printed: results on stdout, everything else on stderr."""

import json
import logging
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from gx.domain.amounts import render_coins
from gx.domain.codec import JsonValue
from gx.domain.identifiers import EpochMs, EpochSeconds

if TYPE_CHECKING:
    from rich.table import Table

_WIDE: Final = 200


def send_logs_to_stderr() -> None:
    """Keep stdout for results: warnings of the code that runs here go to stderr, the rest nowhere.

    A subcommand that serves configures its process's own logs afterwards. It is called even where
    nothing that logs is imported yet: a ledger's client is imported when it is opened, and what it
    logged on stdout then would be in the middle of a result.
    """
    import structlog  # noqa: PLC0415 (--help must not pay for it)

    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING),
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),
        cache_logger_on_first_use=False,
    )


def say(text: str) -> None:
    """Print a message for people to stderr."""
    print(text, file=sys.stderr)


def show(text: str) -> None:
    """Print a line of the result to stdout, exactly as it is."""
    print(text)


def show_json(value: JsonValue) -> None:
    """Print the result for a script: one JSON document."""
    print(json.dumps(value, indent=2, ensure_ascii=False))


def show_table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print rows; a heading that ends with `>` makes its column right-aligned."""
    from rich.console import Console  # noqa: PLC0415 (most subcommands draw no table)

    console = Console()
    if not console.is_terminal:
        console = Console(width=_WIDE)
    console.print(_table(headings, rows))


def _table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> "Table":
    from rich import box  # noqa: PLC0415 (most subcommands draw no table)
    from rich.markup import escape  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415

    table = Table(box=box.SIMPLE, pad_edge=False, show_edge=False)
    for heading in headings:
        is_number = heading.endswith(">")
        table.add_column(heading.removesuffix(">"), justify="right" if is_number else "left")
    for row in rows:
        table.add_row(*(escape(cell) for cell in row))
    return table


def show_fields(fields: Iterable[tuple[str, str]]) -> None:
    """Print one thing's fields, a line each; an empty value leaves its line out."""
    known = [(name, value) for name, value in fields if value]
    width = max((len(name) for name, _ in known), default=0)
    for name, value in known:
        print(f"{name:<{width}}  {value}")


def coins_text(base_units: int) -> str:
    """Write an amount for people: `1.5 coin`."""
    return f"{render_coins(base_units)} coin"


def time_text(at_ms: EpochMs | None) -> str:
    """Write a moment in UTC, to the millisecond; nothing for None."""
    if at_ms is None:
        return ""
    moment = datetime.fromtimestamp(at_ms / 1_000, tz=UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def seconds_text(at_s: EpochSeconds | None) -> str:
    """Write a moment of the ledger in UTC; nothing for None."""
    return "" if at_s is None else time_text(EpochMs(at_s * 1_000)).replace(".000Z", "Z")


class ProgressLine:
    """The line of `progress`."""

    def __init__(self, update: Callable[[str], None] | None) -> None:
        self._update = update

    def tell(self, text: str) -> None:
        """Replace the line's text."""
        if self._update is not None:
            self._update(text)


@contextmanager
def progress(text: str) -> Iterator[ProgressLine]:
    """Show a line that moves while the block works; nothing where stderr is no terminal."""
    if not sys.stderr.isatty():
        yield ProgressLine(None)
        return
    from rich.console import Console  # noqa: PLC0415 (for people at a terminal)
    from rich.text import Text  # noqa: PLC0415

    with Console(stderr=True).status(Text(text)) as status:
        yield ProgressLine(lambda text: status.update(Text(text)))


class LiveTable:
    """The table of `live_table`."""

    def __init__(self, headings: Sequence[str], update: "Callable[[Table], None] | None") -> None:
        self._headings = headings
        self._update = update

    @property
    def is_live(self) -> bool:
        """Whether somebody sees it."""
        return self._update is not None

    def tell(self, rows: Iterable[Sequence[str]]) -> None:
        """Replace the table's rows."""
        if self._update is not None:
            self._update(_table(self._headings, rows))


@contextmanager
def live_table(headings: Sequence[str]) -> Iterator[LiveTable]:
    """Show a table that changes while the block works; nothing where stderr is no terminal."""
    if not sys.stderr.isatty():
        yield LiveTable(headings, None)
        return
    from rich.console import Console  # noqa: PLC0415 (for people at a terminal)
    from rich.live import Live  # noqa: PLC0415

    with Live(console=Console(stderr=True), transient=True, refresh_per_second=4) as live:
        yield LiveTable(headings, live.update)
