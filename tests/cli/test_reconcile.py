"""`gx reconcile` ends with a code that a script can use, and says what cannot be reached."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from gx.cli import reconcile
from gx.cli.main import app
from gx.domain.differences import Difference, DifferenceKind
from gx.domain.errors import GxError
from gx.operations.reconcile import Report
from gx.projection.ports import WrongChainError
from gx.runtime.reconciling import AlreadyComparingError
from tests.ports import free_port


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


def test_a_reason_for_nothing_is_a_mistake() -> None:
    """Whoever forgets --repair must not believe that something was repaired."""
    code, output = run("--reason", "A row was edited by hand")

    assert code == 2, output
    assert "--repair" in output


def test_where_nothing_names_a_database_code_3_is_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Neither settings nor a running stack: that is no difference either."""
    monkeypatch.delenv("GX_DATABASE_DSN", raising=False)
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.setenv("GX_DATA_DIR", str(tmp_path))
    monkeypatch.chdir(tmp_path)

    code, output = run("--json")

    assert code == 3, output
    assert '"ok": null' in output


REPAIR = ("--repair", "--reason", "Found by a test")


def compare_as(
    monkeypatch: pytest.MonkeyPatch, *kinds: DifferenceKind, is_complete: bool = True
) -> list[str]:
    """Let comparing find these kinds; return the reasons of all rebuilds that follow."""
    rebuilt: list[str] = []

    async def compare(*_: object) -> Report:
        report = Report(is_complete=is_complete)
        for kind in () if rebuilt else kinds:
            report.tally.add(Difference(kind=kind, place="p", key="k", ledger="1", stored="2"))
        return report

    async def rebuild(reason: str, _: Callable[[str], None]) -> None:
        rebuilt.append(reason)

    monkeypatch.setattr(reconcile, "_compare_all", compare)
    monkeypatch.setattr(reconcile, "_rebuild", rebuild)
    return rebuilt


def test_read_models_that_differ_are_made_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where the outbox differs too: the rest is told afterwards."""
    rebuilt = compare_as(monkeypatch, DifferenceKind.ROW_CHANGED, DifferenceKind.RESULT_WRONG)

    code, output = run(*REPAIR)

    assert (code, rebuilt) == (0, ["Found by a test"]), output


def test_nothing_is_made_from_a_ledger_that_contradicts_itself(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The read models may be the only sound copy: they stay, and it is said why."""
    rebuilt = compare_as(monkeypatch, DifferenceKind.ROW_CHANGED, DifferenceKind.LEDGER)

    code, output = run(*REPAIR)

    assert (code, rebuilt) == (1, [])
    assert "nothing was rebuilt: the ledger contradicts itself" in output


@pytest.mark.parametrize(
    ("kinds", "code", "words"),
    [
        ((DifferenceKind.RESULT_WRONG,), 1, "the read models agree with the ledger"),
        ((), 0, "nothing differs"),
    ],
)
def test_repairing_says_why_there_is_nothing_to_rebuild(
    monkeypatch: pytest.MonkeyPatch, kinds: tuple[DifferenceKind, ...], code: int, words: str
) -> None:
    """What commands were told is for people to set right."""
    rebuilt = compare_as(monkeypatch, *kinds)

    done, output = run(*REPAIR)

    assert (done, rebuilt) == (code, [])
    assert f"nothing was rebuilt: {words}" in output


@pytest.mark.parametrize("error", [AlreadyComparingError, WrongChainError])
def test_a_comparison_that_cannot_begin_is_told_with_code_3(
    monkeypatch: pytest.MonkeyPatch, error: type[GxError]
) -> None:
    """A script must not take "somebody compares already" for a difference."""

    async def compare(*_: object) -> Report:
        raise error("gx is being compared already")

    monkeypatch.setattr(reconcile, "_compare_all", compare)

    assert run()[0] == 3
    result = CliRunner().invoke(app, ["reconcile", "--json"], prog_name="gx")
    assert result.exit_code == 3
    assert json.loads(result.stdout) == {
        "ok": None,
        "isRepaired": False,
        "error": "gx is being compared already",
    }


def test_where_nothing_was_compared_no_block_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """A torn block can end it before the first block was compared: that is no block -1."""
    compare_as(monkeypatch, DifferenceKind.LEDGER, is_complete=False)

    code, output = run()

    assert code == 1
    assert "read models as of block  -\n" in output
    assert "events                   -\n" in output
    assert "-1" not in output

    output = run("--json")[1]
    report = json.loads(output[: output.rindex("}") + 1])
    assert (report["blockNumber"], report["outboxBlockNumber"]) == (None, None)
