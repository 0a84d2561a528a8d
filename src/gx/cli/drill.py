"""`gx drill`: make a fault, and see who is told."""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from gx.cli.failures import CheckFailedError, UsageFailedError
from gx.cli.options import JsonOption
from gx.cli.output import live_table, say, show, show_json, show_table

if TYPE_CHECKING:
    from gx.proof.drills.outcome import DrillRun
    from gx.proof.drills.scenarios import Scenario

app = typer.Typer(add_completion=False)

_FACTOR: Final = 15.0

_HEADINGS = ("alert", "drill", "told", "detected>", "budget>", "late after>", "over after>", "")


@app.command("drill")
def drill(
    only: Annotated[
        list[str] | None,
        typer.Option("--only", help="A drill, or an alert; repeat it for several."),
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="Play every drill.")] = False,
    backend: Annotated[
        bool, typer.Option("--backend", help="Play the drills of the 18 alerts of the backend.")
    ] = False,
    real_time: Annotated[
        bool, typer.Option("--real-time", help="Divide no duration: an hour, where it takes one.")
    ] = False,
    factor: Annotated[
        float | None,
        typer.Option(
            "--factor", min=1, max=60, help="By what every duration is divided.", show_default="15"
        ),
    ] = None,
    again: Annotated[
        bool, typer.Option("--again", help="Play once more what failed; only that counts then.")
    ] = False,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="A folder for drills.md, drills.json, drills.svg."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Make a fault, and see who is told.

    The fault is real, and so is the stack that it is made in: a separate one.
    Without an option it lists the drills. A stack for drills has free ports
    and a temporary folder: what runs here besides is left alone. Each alert
    must fire in time, reach its receivers in its declared words or be muted
    by an alert that may mute it, and resolve; and nothing else may fire.
    Exits with 1 if one does not; a busy machine can be the reason: see --again.

    Examples:
      gx drill
      gx drill --only stalled-projection
      gx drill --only BackendServiceDown --real-time
      gx drill --backend --again
      gx drill --all --output docs/reference
    """
    from gx.monitoring.alerts.backend import BACKEND_ALERTS  # noqa: PLC0415 (--help need not wait)
    from gx.proof.drills.scenarios import SCENARIOS  # noqa: PLC0415 (--help need not wait for it)

    if every and (only or backend):
        raise UsageFailedError("--all plays every drill: leave --only and --backend away")
    if real_time and factor is not None:
        raise UsageFailedError("--real-time divides nothing: leave --factor or --real-time away")
    if again and output is not None:
        raise UsageFailedError("a report is of one run: leave --again or --output away")
    names = [*(only or ()), *((alert.name for alert in BACKEND_ALERTS) if backend else ())]
    if not (names or every):
        _list(SCENARIOS, as_json=as_json)
        return
    chosen = SCENARIOS if every else _choose(SCENARIOS, names)
    pace = 1.0 if real_time else factor or _FACTOR
    run = _play(chosen, pace)
    if again and not run.is_good:
        run = _play(_told_to_repeat(run, chosen), pace)
    if output is not None:
        options = "--all" if every else " ".join(f"--only {name}" for name in names)
        _write(run, output, f"gx drill {options} --output {output}")
    _show(run, as_json=as_json)


def _list(scenarios: "Sequence[Scenario]", *, as_json: bool) -> None:
    if as_json:
        show_json(
            [
                {
                    "drill": each.name,
                    "alerts": [alert.name for alert in each.expects],
                    "fault": each.how,
                    "standsIn": each.stands_in or None,
                }
                for each in scenarios
            ]
        )
        return
    show_table(
        ("drill", "must fire", "the fault"),
        ((each.name, "\n".join(a.name for a in each.expects), each.how) for each in scenarios),
    )


def _choose(scenarios: "Sequence[Scenario]", names: Sequence[str]) -> "tuple[Scenario, ...]":
    from gx.proof.drills.choice import choose  # noqa: PLC0415 (--help need not wait for it)

    try:
        return choose(scenarios, names)
    except ValueError as error:
        raise UsageFailedError(f"{error}; `gx drill` lists them all") from error


def _told_to_repeat(run: "DrillRun", chosen: "Sequence[Scenario]") -> "Sequence[Scenario]":
    from gx.proof.drills.choice import suspects  # noqa: PLC0415 (--help need not wait for it)
    from gx.proof.drills.report import complaints  # noqa: PLC0415 (--help need not wait for it)

    repeated = suspects(run, chosen)
    say(complaints(run))
    say(f"playing once more, in a new stack: {', '.join(each.name for each in repeated)}")
    return repeated


def _play(scenarios: "Sequence[Scenario]", factor: float) -> "DrillRun":
    from gx.monitoring.scaling import Scale  # noqa: PLC0415 (--help need not wait for it)
    from gx.proof.drills.report import row  # noqa: PLC0415 (--help need not wait for it)
    from gx.proof.drills.run import Conductor  # noqa: PLC0415 (--help need not wait for it)
    from gx.proof.drills.stack import running_stack  # noqa: PLC0415 (--help need not wait for it)

    async def play() -> "DrillRun":
        async with running_stack(Scale(factor), report=say) as stack:
            with live_table(_HEADINGS) as table:
                phases: dict[str, str] = {}

                def tell(run: "DrillRun") -> None:
                    table.tell([(*row(each, run.scale)[:-1], each.phase) for each in run.alerts])
                    for each in run.alerts:
                        key = f"{each.scenario.name}/{each.alert.name}"
                        if not table.is_live and phases.get(key) != each.phase:
                            say(f"{each.alert.name}: {each.phase}")
                        phases[key] = each.phase

                return await Conductor(stack, tell=tell).play(scenarios)

    with _interrupted():
        return asyncio.run(play())


@contextmanager
def _interrupted() -> Iterator[None]:
    try:
        yield
    except KeyboardInterrupt as error:
        raise CheckFailedError("interrupted; the stack for drills has stopped") from error


def _write(run: "DrillRun", folder: Path, command: str) -> None:
    import json  # noqa: PLC0415 (only here)

    from gx.proof.drills import report  # noqa: PLC0415 (--help need not wait for it)
    from gx.proof.drills.picture import render_picture  # noqa: PLC0415 (--help need not wait)

    folder.mkdir(parents=True, exist_ok=True)
    wire = json.dumps(report.to_wire(run), indent=2) + "\n"
    (folder / report.JSON_FILE).write_text(wire, encoding="utf-8")
    page = report.to_markdown(run, command=command)
    (folder / report.MARKDOWN_FILE).write_text(page, encoding="utf-8")
    (folder / report.PICTURE_FILE).write_text(render_picture(run), encoding="utf-8")
    say(f"wrote {report.MARKDOWN_FILE}, {report.JSON_FILE} and {report.PICTURE_FILE} to {folder}")


def _show(run: "DrillRun", *, as_json: bool) -> None:
    from gx.proof.drills.report import complaints, row, to_wire  # noqa: PLC0415 (--help)

    if as_json:
        show_json(to_wire(run))
    else:
        show_table(_HEADINGS, (row(each, run.scale) for each in run.alerts))
    if not run.is_good:
        raise CheckFailedError(complaints(run))
    if not as_json:
        show(f"{len(run.alerts)} alerts did what they should, and no other fired")
