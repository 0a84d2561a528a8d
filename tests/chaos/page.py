"""A run's page and its picture, from the figures that were kept."""

from collections.abc import Sequence
from typing import Final
from xml.sax.saxutils import escape

from tests.chaos.faults.catalogue import KINDS
from tests.chaos.figures import AIM_P95_S, RunFigures

ROW, LEFT, WIDTH = 20, 300, 360

_VERDICTS: Final = {True: "met", False: "missed", None: ""}

# The judge requires these sums, but of runs whose figures say that it did not count them.
_SUMS: Final = (
    "Committed and refused are counted in the blocks. They are what clients were told is accepted"
    " and what was stored before the clients began, such as the ledger's bootstrap; dead letters"
    " are commands that a fault put into the outbox by hand, and stand in no block."
)
_RECOVERY: Final = (
    "Recovery: from the end of a fault until a command that is sent then is projected."
    f" The aim is a 95th percentile below {AIM_P95_S:g} s; of twenty times or fewer it is"
    " the slowest one. What bounds it is mostly waiting that is there on purpose: after five"
    " failures in a row the circuit breaker probes the ledger every 5 s, and nothing passes until a"
    " probe does; a lease of 2 s must run out before a standby takes over; a ledger or a"
    " PostgreSQL that was killed first checks what it has stored, which grows with the run. The"
    " supervisor starts what crashed again after half a second at most here, where `gx up` waits"
    " for up to 10 s, longer with each crash in a row."
)


def as_markdown(runs: Sequence[RunFigures], picture: str) -> str:
    """Return the runs as a page."""
    commands = dict.fromkeys(run.command for run in runs)
    parts = [
        "# Chaos",
        "",
        (
            f"Written by {' and '.join(f'`{each}`' for each in commands)}. Every fault happens"
            " under load, from a seeded schedule; after every round of faults a judge of its own"
            " process recounts each command's effects from the ledger's blocks and compares every"
            " table of the read side with them. What the judge looks for, and how it is shown that"
            " it can fail, stands in [Exactly once](../explanation/exactly-once.md)."
        ),
        "",
        f"![Recovery by kind of fault]({picture})",
    ]
    for run in runs:
        parts += ["", *_section(run)]
    return "\n".join(parts) + "\n"


def _section(run: RunFigures) -> list[str]:
    return [
        f"## {run.title.capitalize()}",
        "",
        *(_crowded(run) if run.was_crowded else ()),
        "| | |",
        "|---|---|",
        *(f"| {name} | {told} |" for name, told in _facts(run)),
        "",
        _SUMS,
        "",
        "### Recovery",
        "",
        _RECOVERY,
        "",
        "| fault | what happens | times | p50 s | p95 s | aim |",
        "|---|---|--:|--:|--:|---|",
        *(
            f"| {kind.kind} | {KINDS[kind.kind].declaration.does} | {kind.count}"
            f" | {_text(kind.recovery_p50_s)} | {_text(kind.recovery_p95_s)}"
            f" | {_VERDICTS[kind.meets_aim]} |"
            for kind in run.kinds
        ),
        *(["", *(f"- {each}" for each in run.findings)] if run.findings else []),
    ]


def _crowded(run: RunFigures) -> list[str]:
    cores = run.machine.cores if run.machine else 1
    return [
        (
            f"**Others were at work on this machine**: its load average was {_range(run.loads)} on"
            f" {cores} cores. That nothing was lost or doubled holds all the same; the load that"
            " was reached and the times of recovery are those of a crowded machine, and say little"
            " of a free one."
        ),
        "",
    ]


def _facts(run: RunFigures) -> list[tuple[str, str]]:
    machine = run.machine
    where = (
        f"{machine.cores} cores ({machine.cpu}), {machine.memory_gib:g} GiB, {machine.system},"
        f" Python {machine.python}, PostgreSQL {machine.postgresql}; load average"
        f" {_range(run.loads)}"
        if machine
        else "not noted"
    )
    load = (
        f"{run.accepted_per_s:.1f} commands/s accepted over the whole run, its pauses for the"
        f" judge included; {run.rate_per_s:g}/s wanted by clients that wait for each answer"
    )
    return [
        ("seed", str(run.seed)),
        ("commit", (machine.commit if machine else "not noted")),
        ("machine", where),
        ("faults", f"{run.faults} of {len(run.kinds)} kinds in {run.elapsed_s:,.0f} s"),
        ("skipped, because this machine cannot", _skipped(run)),
        ("load", load),
        ("commands stored before the clients began", f"{run.prior:,}"),
        ("commands accepted from clients", f"{run.accepted:,}"),
        ("committed, refused", f"{run.committed:,}, {run.rejected:,}"),
        *([] if run.lost is None else _other_ends(run)),
        ("dead letters", f"{run.dead:,}"),
        ("blocks", f"{run.blocks:,}"),
        ("requests that clients repeated", f"{run.retries:,}"),
        ("processes started again", str(run.restarts)),
        ("leases that a paused or cut-off worker lost", str(run.fenced)),
        ("lost, doubled", _losses(run)),
    ]


def _other_ends(run: RunFigures) -> list[tuple[str, str]]:
    return [("refused in no block, discarded", f"{run.unordered:,}, {run.discarded:,}")]


def _losses(run: RunFigures) -> str:
    """Return what was counted; figures of an older judge hold no counts of these."""
    counted = "not counted" if run.lost is None else f"{run.lost:,}, {run.doubled:,}"
    return f"{counted}; see the findings" if run.findings else counted


def _skipped(run: RunFigures) -> str:
    told = [f"{count} times: {reason}" for reason, count in run.skipped.items()]
    return "; ".join(told) or "none"


def _range(loads: Sequence[float]) -> str:
    return f"{min(loads):.0f} to {max(loads):.0f}" if loads else "not noted"


def as_svg(runs: Sequence[RunFigures]) -> str:
    """Draw each kind's recovery, if one was timed: a bar to the median, a line to the 95th."""
    rows = [
        (f"{kind.kind} ({run.title})", kind.recovery_p50_s, kind.recovery_p95_s)
        for run in runs
        for kind in run.kinds
        if kind.recovery_p50_s is not None and kind.recovery_p95_s is not None
    ]
    longest = max((high for _, _, high in rows), default=1.0)
    drawn = [
        _bar(place, name, low=low, high=high, longest=longest)
        for place, (name, low, high) in enumerate(rows)
    ]
    height = 40 + ROW * len(rows)
    return "\n".join(
        [
            (
                f'<svg xmlns="http://www.w3.org/2000/svg" width="760" height="{height}"'
                f' font-family="sans-serif" font-size="12">'
            ),
            '<rect width="100%" height="100%" fill="#ffffff"/>',
            (
                '<text x="10" y="20" font-size="13">Seconds until commands are projected again:'
                " median (bar), 95th percentile (line)</text>"
            ),
            *drawn,
            "</svg>\n",
        ]
    )


def _bar(place: int, name: str, *, low: float, high: float, longest: float) -> str:
    top = 34 + ROW * place
    scale = WIDTH / longest
    middle = top + ROW / 2
    return (
        f'<text x="{LEFT - 8}" y="{middle + 2:.0f}" text-anchor="end">{escape(name)}</text>'
        f'<rect x="{LEFT}" y="{top + 3}" width="{max(low * scale, 1):.1f}" height="{ROW - 8}"'
        ' fill="#4878a8"/>'
        f'<line x1="{LEFT}" x2="{LEFT + high * scale:.1f}" y1="{middle - 1:.0f}"'
        f' y2="{middle - 1:.0f}" stroke="#222222"/>'
        f'<text x="{LEFT + high * scale + 6:.1f}" y="{middle + 2:.0f}">'
        f"{low:.2f} / {high:.2f}</text>"
    )


def _text(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"
