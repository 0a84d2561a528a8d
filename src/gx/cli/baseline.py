"""`gx baseline`: what the alerts' numbers usually are, and which thresholds fit them."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Annotated, Final

import msgspec
import typer

from gx.cli.backtest import (
    FromOption,
    IncidentsOption,
    PrometheusOption,
    StepOption,
    ToOption,
    ZoneOption,
    read_range,
    read_reading,
    within,
)
from gx.cli.failures import CheckFailedError, NotRunningError, UsageFailedError
from gx.cli.options import JsonOption
from gx.cli.output import progress, say, show, show_table
from gx.proof.backtest.history import History, HistoryUnreachableError
from gx.proof.baseline.distribution import Part
from gx.proof.baseline.patch import render_patch
from gx.proof.baseline.proposals import Baseline, measure_baselines
from gx.proof.baseline.tunables import Tunable, tunables
from gx.runtime.clock import SystemClock

app = typer.Typer(add_completion=False)

_HEADINGS: Final = (
    "threshold", "alert", "now>", "p50>", "p95>", "p99>", "least>", "most>",
    "worst hour", "worst day", "proposed",
)  # fmt: skip
_TRIAL_HEADINGS: Final = ("threshold", "value>", "notifications>", "false a week>", "misses>")
_PART_HEADINGS: Final = ("", "samples>", "median>", "worst>")


@app.command("baseline")
def baseline(
    prometheus: PrometheusOption = "http://127.0.0.1:30090",
    start: FromOption = "7d",
    end: ToOption = "0s",
    step: StepOption = "60s",
    incidents: IncidentsOption = None,
    time_zone: ZoneOption = "UTC",
    only: Annotated[
        list[str] | None,
        typer.Option("--only", help="Measure only this alert or threshold; repeat it."),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", help="Write what is proposed as a patch.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Measure the alerts' numbers over a history, and propose thresholds.

    Each candidate is tried in its alert's place: notifications, pages
    outside of marked incidents, incidents missed. Without --incidents
    nothing is proposed, since nobody knows what should have been found.
    The patch changes the catalogue's parameters when you apply it, never
    by itself. Objectives are promises: measured, and never proposed anew.

    Exits with 1 if a number cannot be measured.

    Examples:
      gx baseline --from 30d --time-zone Europe/Zurich
      gx baseline --from 30d --incidents incidents.yaml --output thresholds.patch
      gx baseline --only OutboxQueueBuildup --from 7d
    """
    evaluations = read_range(start, end, step, SystemClock())
    reading = within(read_reading(incidents, time_zone), evaluations)
    wanted = _wanted(only)
    try:
        with History(prometheus) as history, progress("measuring") as line:

            def tell(number: int, name: str) -> None:
                line.tell(f"measuring {number} of {len(wanted)}, {name}")

            found = measure_baselines(wanted, history, evaluations, reading, tell=tell)
    except HistoryUnreachableError as error:
        raise NotRunningError(str(error)) from error
    _show(found, as_json=as_json, is_detailed=only is not None)
    if output is not None:
        _write(render_patch(found), output)
    if errors := [f"{each.name}: {each.error}" for each in found if each.error]:
        raise CheckFailedError("; ".join(errors))


def _wanted(only: Sequence[str] | None) -> tuple[Tunable, ...]:
    known = tunables()
    if not only:
        return known
    names = {name for each in known for name in (each.name, each.alert.name)}
    if unknown := sorted(set(only) - names):
        raise UsageFailedError(
            f"{', '.join(unknown)} cannot be measured; what can: {', '.join(sorted(names))}"
        )
    return tuple(each for each in known if {each.name, each.alert.name} & set(only))


def _show(found: Sequence[Baseline], *, as_json: bool, is_detailed: bool) -> None:
    if as_json:
        show(msgspec.json.format(msgspec.json.encode(found), indent=2).decode())
        return
    show_table(_HEADINGS, (_row(each) for each in found))
    show_table(_TRIAL_HEADINGS, (row for each in found for row in _trial_rows(each)))
    if is_detailed:
        for each in found:
            if each.distribution is not None:
                show_table((each.name, *_PART_HEADINGS[1:]), _part_rows(each.distribution.hours))
                show_table((each.name, *_PART_HEADINGS[1:]), _part_rows(each.distribution.days))


def _row(each: Baseline) -> tuple[str, ...]:
    measured = each.distribution
    if measured is None:
        return (each.name, each.alert, f"{each.current:g}", *["-"] * 7, each.error or "no data")
    return (
        each.name,
        each.alert,
        f"{each.current:g}",
        *(f"{measured.at(rank):.4g}" for rank in (0.5, 0.95, 0.99)),
        f"{measured.least:.4g}",
        f"{measured.most:.4g}",
        _worst(measured.hours, measured.most),
        _worst(measured.days, measured.most),
        "a promise" if each.is_promise else f"{each.proposed:g}" if each.proposed else "-",
    )


def _worst(parts: Iterable[Part], most: float) -> str:
    """Name the part that is furthest from the others: the one whose edge differs most."""
    listed = list(parts)
    middle = sorted(part.worst for part in listed)[len(listed) // 2]
    furthest = max(listed, key=lambda part: abs(part.worst - middle))
    is_flat = abs(furthest.worst - middle) <= abs(most) * 0.01
    return "-" if is_flat else furthest.name


def _trial_rows(each: Baseline) -> Iterator[tuple[str, ...]]:
    for trial in each.trials:
        yield (
            each.name,
            f"{trial.value:g}",
            str(trial.notifications),
            "-" if trial.false_per_week is None else f"{trial.false_per_week:g}",
            "-" if trial.miss_rate is None else f"{trial.miss_rate:.0%}",
        )


def _part_rows(parts: Iterable[Part]) -> Iterator[tuple[str, ...]]:
    for part in parts:
        yield (part.name, str(part.samples), f"{part.median:.4g}", f"{part.worst:.4g}")


def _write(patch: str, output: Path) -> None:
    if not patch:
        say("nothing is proposed, so nothing is written")
        return
    output.write_text(patch, encoding="utf-8")
    say(f"wrote {output}: read it, then `git apply {output}` and `make generate`")
