"""`gx drill` refuses what it cannot mean."""

import pytest
from typer.testing import CliRunner

from gx.cli.main import app


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (["--all", "--only", "poison"], "leave --only"),
        (["--all", "--backend"], "leave --only and --backend"),
        (["--real-time", "--factor", "5"], "leave --factor"),
        (["--all", "--again", "--output", "here"], "a report is of one run"),
    ],
)
def test_options_that_contradict_each_other_are_refused(options: list[str], why: str) -> None:
    """An option that is silently left out lets somebody believe that it was obeyed."""
    result = CliRunner().invoke(app, ["drill", *options])

    assert result.exit_code == 2
    assert why in " ".join(result.output.split())
