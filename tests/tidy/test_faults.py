"""House rule: the document of faults names tests that exist."""

import re

from tests.tidy.sources import ROOT, functions, sources


def test_every_fault_is_kept_impossible_by_a_test_that_exists() -> None:
    """A renamed or deleted test leaves its fault unguarded; each row names at least one."""
    text = (ROOT / "docs" / "explanation" / "faults.md").read_text(encoding="utf-8")
    rows = [line for line in text.splitlines() if line.startswith("| ") and "::" in line]
    named = [re.findall(r"`(tests/[^`]+::[^`]+)`", row) for row in rows]
    existing = {
        f"{source.path}::{function.name}"
        for source in sources("tests")
        if source.path in text
        for function in functions(source)
    }
    missing = sorted({test for row in named for test in row} - existing)

    assert len(rows) > 20
    assert all(named), "a row names no test"
    assert not missing, missing
