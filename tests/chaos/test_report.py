"""What a run reports: its figures, and that a finding cannot be overlooked."""

import json
import shlex
from pathlib import Path
from typing import Final
from xml.etree import ElementTree as ET

import msgspec
import pytest

from benchmarks.machine import Machine
from gx.ledger.kinds import LedgerKind
from tests.chaos.faults.story import Fault, read_story
from tests.chaos.page import as_markdown
from tests.chaos.report import RunReport, render, summary, write
from tests.chaos.rounds import Played, Round
from tests.chaos.run import BY_MAKE, DEFAULTS, PAGE, PARTIAL, parse

MACHINE: Final = Machine(
    cpu="Slow",
    cores=2,
    memory_gib=4.0,
    system="Linux 6",
    python="3.11.2",
    postgresql="18.6",
    commit="abc+",
)


def a_report(*findings: str) -> RunReport:
    """Ten kills that took 1 to 10 seconds, and one fault that this machine cannot do."""
    kill = Fault(kind="kill", target="ledger", pause_s=0.5)
    played = [Played(fault=kill, recovery_s=float(number)) for number in range(1, 11)]
    jump = Fault(kind="clock-forward", target="postgres", pause_s=0.5, duration_s=1.5, amount=5)
    played.append(Played(fault=jump, impossible="no libfaketime"))
    judged: dict[str, object] = {
        "accepted": 1_000,
        "committed": 903,
        "rejected": 100,
        "blocks": 70,
        "dead": 4,
        "lost": 2 if findings else 0,
        "doubled": 0,
    }
    one = Round(played=played, findings=list(findings), judged=judged)
    return RunReport(
        seed=7,
        ledger=LedgerKind.LOCAL,
        command="make chaos",
        rate_per_s=60.0,
        machine=MACHINE,
        loads=[1.5, 4.2],
        rounds=[one],
        prior=3,
        retries=12,
        elapsed_s=100.0,
    )


def test_a_summary_counts_what_happened() -> None:
    """What could not be done is no fault that happened, and is said."""
    text = summary(a_report())

    assert "10 faults of 1 kinds on local, seed 7" in text
    assert "1,000 commands accepted, 903 committed, 100 refused" in text
    assert "skipped 1 times: no libfaketime" in text
    assert "lost 0, doubled 0" in text


def test_a_summary_never_claims_what_was_not_found() -> None:
    """With a finding nothing is said to be fine; lost and doubled are what was counted."""
    text = summary(a_report("balances differ: 1"))
    blind = a_report()
    blind.rounds[0].judged.clear()

    assert "balances differ: 1" in text
    assert "lost 2, doubled 0" in text
    assert "nothing wrong" not in text
    assert "lost 0" not in summary(blind)


def test_the_files_tell_the_same(tmp_path: Path) -> None:
    """JSON for programs, with the story that was played; a page, and a picture of the recovery."""
    write([a_report().figures()], tmp_path / "chaos.json")

    (told,) = json.loads((tmp_path / "chaos.json").read_text())
    assert told["faults"] == 10
    assert told["kinds"] == [
        {"kind": "kill", "count": 10, "recoveryP50S": 6.0, "recoveryP95S": 10.0}
    ]
    assert len(read_story(told["story"][0])) == 11
    page = (tmp_path / "chaos.md").read_text()
    assert (
        "| kill | kill -9 of a process and all its children | 10 | 6.00 | 10.00 | missed |" in page
    )
    assert "](chaos.svg)" in page
    picture = ET.parse(tmp_path / "chaos.svg").getroot()  # noqa: S314 (our own)
    assert "6.00 / 10.00" in "".join(picture.itertext())


def test_a_page_says_under_which_conditions_it_was_made() -> None:
    """Command, commit, machine, load, what was skipped, and the sums, which add up."""
    page = as_markdown([a_report().figures()], "chaos.svg")

    assert "Written by `make chaos`." in page
    assert "| commit | abc+ |" in page
    assert "2 cores (Slow), 4 GiB, Linux 6, Python 3.11.2, PostgreSQL 18.6" in page
    assert "| load | 10.0 commands/s accepted" in page
    assert "60/s wanted" in page
    assert "1 times: no libfaketime" in page
    assert "| commands stored before the clients began | 3 |" in page
    assert "| dead letters | 4 |" in page
    assert "| lost, doubled | 0, 0 |" in page
    lost = as_markdown([a_report("it is gone").figures()], "chaos.svg")
    assert "| lost, doubled | 2, 0; see the findings |" in lost
    assert "Others were at work" not in page


def test_a_page_of_a_crowded_machine_says_so() -> None:
    """Who had the cores before the run began has a part in each of its times."""
    figures = msgspec.structs.replace(a_report().figures(), loads=[20.0, 27.0])

    page = as_markdown([figures], "chaos.svg")

    assert "**Others were at work on this machine**: its load average was 20 to 27 on 2" in page


def test_a_page_is_made_anew_from_its_figures(tmp_path: Path) -> None:
    """Rendering needs nothing but the JSON, and says what the run said."""
    write([a_report().figures()], tmp_path / "chaos")
    page = (tmp_path / "chaos.md").read_text()
    (tmp_path / "chaos.md").unlink()

    render(tmp_path / "chaos")

    assert (tmp_path / "chaos.md").read_text() == page


def test_the_committed_page_is_that_of_its_figures(tmp_path: Path) -> None:
    """Nobody has edited it by hand, nor the code that makes it without making it again."""
    (tmp_path / "chaos.json").write_bytes(PAGE.with_suffix(".json").read_bytes())

    render(tmp_path / "chaos")

    for ending in (".md", ".svg"):
        told = (tmp_path / "chaos").with_suffix(ending).read_text()
        assert told == PAGE.with_suffix(ending).read_text(), "python -m tests.chaos.run --render"


def test_only_a_whole_run_writes_the_committed_page() -> None:
    """Five faults, one ledger, or a story say less than what is committed."""
    assert parse([BY_MAKE, *DEFAULTS]).output == PAGE
    more = ["--faults", "400", "--previous-faults", "60", "--fabric-faults", "50", "--seed", "1"]
    assert parse(more).output == PAGE
    assert parse(["--faults", "5"]).output == PARTIAL
    assert parse(["--faults", "300"]).output == PARTIAL
    assert parse([*DEFAULTS, "--previous"]).output == PARTIAL
    assert parse(["--story", "kill:ledger@0.40"]).output == PARTIAL
    assert parse(["--faults", "5", "--output", "here"]).output == Path("here")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([BY_MAKE, *DEFAULTS], "make chaos"),
        ([BY_MAKE, "--faults", "5"], 'make chaos ARGS="--faults 5"'),
        (["--faults", "5"], "python -m tests.chaos.run --faults 5"),
    ],
)
def test_a_run_is_called_as_it_was_called(arguments: list[str], told: str) -> None:
    """A page says `make chaos` only where that is what made it."""
    assert {order.command for order in parse(arguments).orders} == {told}


def test_a_replay_breaks_the_same(tmp_path: Path) -> None:
    """What the system was broken by is part of the command that plays a story again."""
    file = tmp_path / "plant.sql"
    file.write_text("SELECT 1")
    (order,) = parse(
        ["--seed", "7", "--faults", "1", "--rate", "60", "--plant-sql", str(file)]
    ).orders

    again = order.replay("kill:ledger@0.40")

    (same,) = parse(shlex.split(again)[3:]).orders
    assert (same.seed, same.rate_per_s, same.planted) == (7, 60.0, "SELECT 1")
    assert list(same.faults) == list(read_story("kill:ledger@0.40"))
