"""House rule: nothing that is declared lacks its other half."""

import importlib
import pkgutil

import gx
from gx.domain.errors import GxError
from tests.tidy.sources import ROOT, sources


def test_every_module_can_be_imported_alone() -> None:
    """Nothing happens at import, and nothing needs another import before it."""
    for module in pkgutil.walk_packages(gx.__path__, "gx."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)


def test_every_error_of_ours_has_a_documented_meaning() -> None:
    """An error type without a docstring leaves its reader guessing."""
    test_every_module_can_be_imported_alone()
    nameless = [
        error.__name__
        for error in _subclasses(GxError)
        if error.__module__.startswith("gx.") and not error.__doc__
    ]
    assert not nameless


def test_no_unfinished_marks_stand_in_the_code() -> None:
    """What is not done is not merged."""
    marks = ("TO" + "DO", "FIX" + "ME", "XX" + "X")
    found = [
        f"{source.path}: {mark}" for source in sources() for mark in marks if mark in source.text
    ]
    assert not found


def test_no_file_names_an_index_or_a_path_of_one_machine() -> None:
    """Pinned constraints hold names and versions alone."""
    text = (ROOT / "constraints.txt").read_text(encoding="utf-8")

    assert "://" not in text
    assert "/" not in text


def _subclasses(cls: type[GxError]) -> set[type[GxError]]:
    direct = set(cls.__subclasses__())
    return direct.union(*(_subclasses(child) for child in direct))
