"""What a run of drills showed: as values for scripts, and as a page for people."""

from collections.abc import Iterable, Iterator
from typing import Final

from gx.domain.codec import JsonObject, JsonValue
from gx.monitoring.scaling import Scale
from gx.proof.drills.onsets import ALLOWANCE_S, NO_ONSET
from gx.proof.drills.outcome import AlertRun, DrillRun
from gx.proof.drills.scenarios import NOT_DRILLED, Scenario

JSON_FILE: Final = "drills.json"
MARKDOWN_FILE: Final = "drills.md"
PICTURE_FILE: Final = "drills.svg"
NOT_DRILLED_TITLE: Final = "Not drilled"

_INTRODUCTION: Final = """\
# Drills

For whoever wants to know whether the alerts tell the truth.
Written by `{command}`; do not edit.
Each fault was made in a real stack with real Prometheus and Alertmanager.
Every duration of rules, scrapes and routes was divided by {factor:g}.
"Detected" is from the fault to the first receiver that was told (of a muted alert: to its firing).
"Over after" is from the fault's end to the last receiver that was told of that.
Both are scaled back to real time; a process's own time, such as a lag of 10 s, is not scaled.
The budget is what the declaration computes for a complete failure.
Later than "late after" is a failure: the budget, what the fault takes to be complete (below),
and {allowance:.0f} s for a busy machine, whose delays are multiplied by the factor, too.
Where another drill had just made the same alert fire, Alertmanager waits for its group's interval:
that is added there.

![Timeline](drills.svg)
"""


def to_wire(run: DrillRun) -> JsonObject:
    """Return the run as one JSON object."""
    alerts: list[JsonValue] = [_alert_to_wire(each, run) for each in run.alerts]
    alarms: list[JsonValue] = [
        {
            "alert": each.sighting.name,
            "labels": dict[str, JsonValue](each.sighting.labels),
            "atMs": _ms((each.sighting.firing_s or run.began_s) - run.began_s),
            "during": list[JsonValue](each.during),
        }
        for each in run.false_alarms
    ]
    return {
        "ok": run.is_good,
        "factor": f"{run.scale.factor:g}",
        "tookMs": _ms(run.ended_s - run.began_s),
        "alerts": alerts,
        "falseAlarms": alarms,
        "shapeFaults": list[JsonValue](run.shape_faults),
    }


def _alert_to_wire(run: AlertRun, whole: DrillRun) -> JsonObject:
    detected_s, over_s = run.detected_s, run.over_s
    moments = {
        "injected": run.injected_s,
        "pending": run.sighting.pending_s if run.sighting else None,
        "firing": run.sighting.firing_s if run.sighting else None,
        "muted": run.sighting.muted_s if run.sighting else None,
        "told": run.told_s,
        "faultEnded": run.ended_s,
        "resolved": run.resolved_s,
        "toldOfEnd": run.untold_s,
    }
    return {
        "alert": run.alert.name,
        "drill": run.scenario.name,
        "how": run.scenario.how,
        "standsIn": run.scenario.stands_in or None,
        "phase": run.phase.value,
        "ok": run.is_good,
        "toldReceivers": list[JsonValue](told(run)),
        "mutedBy": list[JsonValue](run.muted_by),
        "detectedMs": None if detected_s is None else _ms(detected_s),
        "detectedRealMs": None if detected_s is None else _ms(run.real_s(detected_s, whole.scale)),
        "budgetRealMs": _ms(run.budget_real_s),
        "limitRealMs": _limit_real_ms(run, whole.scale),
        "isLate": run.is_late(whole.scale),
        "overMs": None if over_s is None else _ms(over_s),
        "overRealMs": None if over_s is None else _ms(whole.scale.real(over_s)),
        "momentsMs": {
            name: None if at is None else _ms(at - whole.began_s) for name, at in moments.items()
        },
        "faults": list[JsonValue](run.faults),
    }


def told(run: AlertRun) -> list[str]:
    """Name the receivers that were told that it fires, each once."""
    return sorted({each.receiver for each in run.notices if each.is_firing})


def _limit_real_ms(run: AlertRun, scale: Scale) -> int:
    return _ms(run.real_s(run.limit_s(scale), scale))


def _ms(seconds: float) -> int:
    return round(seconds * 1_000)


def to_markdown(run: DrillRun, *, command: str) -> str:
    """Render the page."""
    verdict = "Every alert did what it should, and no other fired." if run.is_good else "It failed."
    good = sum(each.is_good for each in run.alerts)
    parts = [
        _INTRODUCTION.format(
            command=command, factor=run.scale.factor, allowance=run.scale.real(ALLOWANCE_S)
        ),
        (
            f"{good} of {len(run.alerts)} alerts fired, were told or rightly muted, and resolved, "
            f"within {run.ended_s - run.began_s:.0f} s.\n{verdict}\n"
        ),
        _table(run),
        "## The faults\n\n" + "".join(_how(each) for each in _scenarios(run)),
        *_onsets(run),
        _not_drilled(),
        *([_failures(run)] if not run.is_good else []),
    ]
    return "\n".join(parts)


def _scenarios(run: DrillRun) -> Iterable[Scenario]:
    return {each.scenario.name: each.scenario for each in run.alerts}.values()


def _table(run: DrillRun) -> str:
    head = (
        "| alert | drill | told | detected | budget | late after | over after | |\n"
        "|---|---|---|---:|---:|---:|---:|---|\n"
    )
    return head + "".join(f"| {' | '.join(row(each, run.scale))} |\n" for each in run.alerts)


def row(run: AlertRun, scale: Scale) -> tuple[str, ...]:
    """Return an alert's line: name, drill, receivers, detection, budget, limit, end, verdict."""
    detected_s, over_s = run.detected_s, run.over_s
    receivers = ", ".join(told(run))
    muted = f"muted by {', '.join(run.muted_by)}" if run.muted_by else ""
    return (
        run.alert.name,
        run.scenario.name,
        "; ".join(text for text in (receivers, muted) if text),
        "" if detected_s is None else f"{run.real_s(detected_s, scale):.0f} s",
        f"{run.budget_real_s:.0f} s",
        f"{_limit_real_ms(run, scale) / 1_000:.0f} s",
        "" if over_s is None else f"{scale.real(over_s):.0f} s",
        "ok" if run.is_good else str(run.phase),
    )


def _how(scenario: Scenario) -> str:
    stand_in = f" (a stand-in: {scenario.stands_in})" if scenario.stands_in else ""
    return f"- `{scenario.name}`: {scenario.how}{stand_in}.\n"


def _onsets(run: DrillRun) -> Iterator[str]:
    """Say which faults take their time, and why."""
    lines = [
        f"- {each.alert.name} in `{each.scenario.name}`, "
        f"{run.scale.real(each.onset.seconds(run.scale)):.0f} s: {each.onset.why}.\n"
        for each in run.alerts
        if each.onset is not NO_ONSET
    ]
    if lines:
        yield "## Faults that are not complete at once\n\n" + "".join(lines)


def _not_drilled() -> str:
    lines = "".join(f"- {name}: {reason}.\n" for name, reason in NOT_DRILLED.items())
    count = f"These {len(NOT_DRILLED)}, each with what shows it instead."
    return f"## {NOT_DRILLED_TITLE}\n\n{count}\n\n{lines}"


def _failures(run: DrillRun) -> str:
    lines = [f"- {each.alert.name}: {fault}\n" for each in run.alerts for fault in each.faults]
    lines += [
        f"- false alarm {each.sighting.name} during {', '.join(each.during) or 'nothing'}\n"
        for each in run.false_alarms
    ]
    lines += [f"- a receiver refused: {fault}\n" for fault in run.shape_faults]
    return "## What failed\n\n" + "".join(lines)


def complaints(run: DrillRun) -> str:
    """Say what failed, in a line each; empty when nothing did."""
    return "" if run.is_good else _failures(run).partition("\n\n")[2].rstrip()
