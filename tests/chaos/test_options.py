"""What a chaos run is asked for: refused at once, in a sentence, where it cannot be played."""

from pathlib import Path

import pytest

from tests.chaos.findings import Finding, Rule
from tests.chaos.run import EXAMPLE_CHARACTERS, EXAMPLES, in_short, parse


@pytest.mark.parametrize(
    ("arguments", "wrong"),
    [
        (["--faults", "-1"], "'-1' is no whole number of 0 or more"),
        (["--fabric-faults", "many"], "'many' is no whole number of 0 or more"),
        (["--faults", "0"], "there is nothing to play"),
        (["--rate", "0"], "'0' is no number of 1 or more"),
        (["--replays", "-2"], "'-2' is no whole number of 0 or more"),
        (["--ledger", "paper"], "invalid choice: 'paper' (choose from 'local', 'fabric')"),
        (["--story", "garbage"], "'garbage' is no fault: write kind:target@pause"),
        (["--story", "kill:nobody@1"], "kill:nobody@1.00: it happens to"),
        (["--story", "clap:ledger@1"], "there is no such kind; there are"),
        (["--plant-sql", "/no/such/file"], "/no/such/file cannot be read"),
    ],
)
def test_what_cannot_be_played_is_refused_before_anything_starts(
    arguments: list[str], wrong: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Status 2 and a sentence: no traceback, and no run of something else."""
    with pytest.raises(SystemExit) as ended:
        parse(arguments)

    assert ended.value.code == 2
    assert wrong in capsys.readouterr().err


def test_a_story_is_played_alone_and_may_be_empty() -> None:
    """What fails without any fault can be seen again with the command that was printed."""
    (empty,) = parse(["--story", "", "--seed", "7", "--fabric-faults", "5"]).orders

    assert list(empty.faults) == []
    assert "--story ''" in empty.replay("")
    assert not empty.is_whole


def test_help_has_examples(capsys: pytest.CaptureFixture[str]) -> None:
    """Whoever asks how it is called sees calls."""
    with pytest.raises(SystemExit) as ended:
        parse(["--help"])

    assert ended.value.code == 0
    told = capsys.readouterr().out
    assert "python -m tests.chaos.run --faults 300 --seed 7" in told
    assert "{local,fabric}" in told


def test_a_file_that_is_no_text_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A wrong file is named, not half executed."""
    file = tmp_path / "plant.sql"
    file.write_bytes(b"\xff\xfe\x00")

    with pytest.raises(SystemExit) as ended:
        parse(["--plant-sql", str(file)])

    assert ended.value.code == 2
    assert f"{file} cannot be read" in capsys.readouterr().err


def test_a_finding_is_told_in_a_line_that_can_be_read() -> None:
    """The rule, how often it was broken, and where to begin to look."""
    finding = Finding()
    finding.require_none(Rule.ENTRIES, [f"chaos-{number} has {'x ' * 200}" for number in range(9)])

    told = in_short(finding.faults[0])

    assert told.startswith(f"{Rule.ENTRIES}: 9{EXAMPLES}['chaos-0 has x x")
    assert told.endswith(" …")
    assert len(told) < len(f"{Rule.ENTRIES}: 9{EXAMPLES}") + EXAMPLE_CHARACTERS + 1
    assert in_short("nothing happened any more") == "nothing happened any more"
