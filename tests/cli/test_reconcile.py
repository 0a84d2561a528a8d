"""`gx reconcile` ends with a code that a script can use, and says what cannot be reached."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from gx.cli.main import app
from tests.end_to_end.loop import free_port


def run(*options: str) -> tuple[int, str]:
    """Run it in this process; return the exit code and all that was printed."""
    result = CliRunner().invoke(app, ["reconcile", *options], prog_name="gx")
    return result.exit_code, result.output


def test_a_database_that_does_not_answer_is_told_with_code_3(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Nothing was compared, so it neither agrees nor differs."""
    monkeypatch.setenv("GX_DATABASE_DSN", f"postgresql://gx:none@127.0.0.1:{free_port()}/gx")
    monkeypatch.setenv("GX_LEDGER_SOCKET", str(tmp_path / "ledger.sock"))

    code, output = run()

    assert code == 3, output


def test_a_ledger_that_does_not_answer_is_told_with_code_3(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, database_dsn: str
) -> None:
    """The database is there, the ledger is not."""
    monkeypatch.setenv("GX_DATABASE_DSN", database_dsn)
    monkeypatch.setenv("GX_LEDGER", "local")
    monkeypatch.setenv("GX_LEDGER_FOLDER", str(tmp_path))
    monkeypatch.setenv("GX_LEDGER_SOCKET", str(tmp_path / "ledger.sock"))

    code, output = run()

    assert code == 3, output


@pytest.mark.parametrize("option", ["--repair", "--declare-outside"])
def test_whatever_changes_something_needs_a_reason(option: str) -> None:
    """It is audited, so somebody must say why."""
    code, output = run(option)

    assert code == 2, output
    assert "--reason" in output
