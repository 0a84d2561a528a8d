"""What a measurement is asked for: refused at once where it means nothing."""

from collections.abc import Callable, Sequence

import pytest

from benchmarks import fabric, run, soak


@pytest.mark.parametrize(
    ("read", "arguments", "wrong"),
    [
        (run.read_options, ["--rounds", "0"], "'0' is no whole number of 1 or more"),
        (run.read_options, ["--rounds", "two"], "'two' is no whole number of 1 or more"),
        (soak.read_options, ["--minutes", "0"], "'0' is no number of 1 or more"),
        (soak.read_options, ["--minutes", "-3"], "'-3' is no number of 1 or more"),
        (soak.read_options, ["--minutes", "nan"], "'nan' is no number of 1 or more"),
        (soak.read_options, ["--rate", "-1"], "'-1' is no number of 1 or more"),
        (fabric.read_options, ["--rounds", "-1"], "'-1' is no whole number of 1 or more"),
        (fabric.read_options, ["--accounts", "9"], "'9' is no whole number of 100 or more"),
    ],
)
def test_a_number_out_of_range_is_refused_before_anything_starts(
    read: Callable[[Sequence[str]], object],
    arguments: list[str],
    wrong: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Status 2 and a sentence, not a system that measures nothing."""
    with pytest.raises(SystemExit) as ended:
        read(arguments)

    assert ended.value.code == 2
    assert wrong in capsys.readouterr().err


def test_a_number_in_range_is_what_is_measured() -> None:
    """Nothing that was asked for is rounded to something else."""
    assert run.read_options(["--rounds", "2"]).effort.rounds == 2
    assert soak.read_options(["--minutes", "1.5", "--rate", "200"]).minutes == 1.5
    assert fabric.read_options(["--rounds", "5", "--accounts", "100"]).effort.accounts == 100
