"""What a run reports: its figures, and that a finding cannot be overlooked."""

import json
from pathlib import Path
from xml.etree import ElementTree as ET

from gx.ledger.kinds import LedgerKind
from tests.chaos.faults.story import Fault, read_story
from tests.chaos.report import RunReport, summary, write
from tests.chaos.rounds import Played, Round


def a_report(*findings: str) -> RunReport:
    """Ten kills that took 1 to 10 seconds, and one fault that this machine cannot do."""
    kill = Fault(kind="kill", target="ledger", pause_s=0.5)
    played = [Played(fault=kill, recovery_s=float(number)) for number in range(1, 11)]
    jump = Fault(kind="clock-forward", target="postgres", pause_s=0.5, duration_s=1.5, amount=5)
    played.append(Played(fault=jump, impossible="no libfaketime"))
    judged: dict[str, object] = {"accepted": 1_000, "committed": 900, "rejected": 100, "blocks": 70}
    one = Round(played=played, findings=list(findings), judged=judged)
    return RunReport(seed=7, ledger=LedgerKind.LOCAL, rounds=[one], retries=12)


def test_a_summary_counts_what_happened() -> None:
    """What could not be done is no fault that happened, and is said."""
    text = summary(a_report())

    assert "10 faults of 1 kinds on local, seed 7" in text
    assert "1,000 commands accepted, 900 committed, 100 refused" in text
    assert "skipped 1 times: no libfaketime" in text
    assert "lost 0, doubled 0" in text


def test_a_summary_never_claims_what_was_not_found() -> None:
    """With a finding nothing is said to be fine."""
    text = summary(a_report("balances differ: 1"))

    assert "balances differ: 1" in text
    assert "lost 0" not in text


def test_the_files_tell_the_same(tmp_path: Path) -> None:
    """JSON for programs, with the story that was played; a page, and a picture of the recovery."""
    write([a_report()], tmp_path / "chaos.json")

    (told,) = json.loads((tmp_path / "chaos.json").read_text())
    assert told["faults"] == 10
    assert told["kinds"] == [
        {"kind": "kill", "count": 10, "recoveryP50S": 6.0, "recoveryP95S": 10.0}
    ]
    assert len(read_story(told["story"][0])) == 11
    page = (tmp_path / "chaos.md").read_text()
    assert "| kill | kill -9 of a process and all its children | 10 | 6.00 | 10.00 |" in page
    assert "](chaos.svg)" in page
    picture = ET.parse(tmp_path / "chaos.svg").getroot()  # noqa: S314 (our own)
    assert "6.00 / 10.00" in "".join(picture.itertext())
