"""A lost or exchanged file is no new ledger: commands would be settled on an empty chain."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from gx.ledger.errors import LedgerUnavailableError
from tests.ledger.calls import put
from tests.ledger.process import LedgerProcess


def remove_with_log(file: Path) -> None:
    """Delete the file and what SQLite keeps beside it."""
    for path in file.parent.glob(f"{file.name}*"):
        path.unlink()


def empty(file: Path) -> None:
    """Leave nothing in the file."""
    remove_with_log(file)
    file.touch()


@pytest.mark.parametrize("lose", [remove_with_log, empty])
async def test_a_lost_file_is_refused_and_nothing_is_begun_anew(
    ledger_process: LedgerProcess, lose: Callable[[Path], None]
) -> None:
    """The server ends, says what is missing and what to do, and makes no file."""
    await put(ledger_process.client(), "key", "value")
    await ledger_process.terminate()
    lose(ledger_process.file)

    assert await ledger_process.try_start() == 3

    assert "restore it from a backup" in ledger_process.output[-1]
    assert not ledger_process.file.is_file() or ledger_process.file.stat().st_size == 0
    with pytest.raises(LedgerUnavailableError):
        await ledger_process.client().chain_info()


async def test_the_file_of_another_ledger_is_refused(
    ledger_process: LedgerProcess, tmp_path: Path
) -> None:
    """A file that was put in its place belongs to other read models and other envelopes."""
    other = LedgerProcess(tmp_path / "other")
    await other.start()
    await put(other.client(), "key", "other")
    await other.terminate()
    await ledger_process.terminate()
    remove_with_log(ledger_process.file)
    shutil.copy(other.file, ledger_process.file)
    await other.close()

    assert await ledger_process.try_start() == 3

    assert "another ledger" in ledger_process.output[-1]


async def test_a_removed_folder_begins_a_new_chain(ledger_process: LedgerProcess) -> None:
    """Who removes the whole folder means it."""
    await put(ledger_process.client(), "key", "value")
    await ledger_process.terminate()
    shutil.rmtree(ledger_process.folder)

    await ledger_process.start()

    assert (await ledger_process.client().chain_info()).height == 0
