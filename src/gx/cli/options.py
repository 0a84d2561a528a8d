"""Options that many subcommands share, and how their values are read."""

import re
from pathlib import Path
from typing import Annotated, Final

import typer

from gx.cli.failures import UsageFailedError
from gx.domain.amounts import Amount, parse_quantity
from gx.domain.refusals import RefusedError

UrlOption = Annotated[
    str | None,
    typer.Option("--url", help="Address of the API; else GX_URL, else the running stack's."),
]
TokenOption = Annotated[
    str | None,
    typer.Option(
        "--token", help="Bearer token; else GX_TOKEN, else one of the local issuer is made."
    ),
]
JsonOption = Annotated[
    bool, typer.Option("--json", help="Print the result as JSON on stdout, and nothing else.")
]
WaitOption = Annotated[
    bool,
    typer.Option("--wait/--no-wait", help="Wait until the effect is visible in queries."),
]
TimeoutOption = Annotated[
    float, typer.Option("--timeout", min=0, help="Seconds to wait for the effect.")
]
KeyOption = Annotated[
    str | None,
    typer.Option(
        "--idempotency-key", help="Repeating a command under the same key does nothing more."
    ),
]
LimitOption = Annotated[int, typer.Option("--limit", min=1, max=200, help="How many at most.")]
CursorOption = Annotated[
    str | None, typer.Option("--cursor", help="Continue where the previous page ended.")
]
DataDirOption = Annotated[
    Path | None,
    typer.Option("--data-dir", help="The stack's folder; else GX_DATA_DIR, else ./var."),
]

_DURATION: Final = re.compile(r"([0-9]{1,9})(s|m|h|d)?", re.ASCII)
_UNIT_S: Final = {"": 1, "s": 1, "m": 60, "h": 3_600, "d": 86_400}


def read_amount(text: str) -> Amount:
    """Read an amount with its unit.

    Raises:
        UsageFailedError: it has none, or is no amount.
    """
    try:
        return parse_quantity(text)
    except RefusedError as error:
        raise UsageFailedError(error.detail) from error


def read_duration_s(text: str) -> int:
    """Read `90`, `90s`, `15m`, `8h` or `7d` as seconds.

    Raises:
        UsageFailedError: it is none of these.
    """
    match = _DURATION.fullmatch(text.strip())
    if match is None:
        raise UsageFailedError(f"{text!r} is no duration: give 90s, 15m, 8h or 7d")
    return int(match[1]) * _UNIT_S[match[2] or ""]
