"""House rule: tests that share a running system run in one process."""

import pytest

from tests.scheduling import LONG, next_group
from tests.tidy.sources import ROOT

pytestmark = pytest.mark.xdist_group("groups")


def test_groups_are_kept_together(request: pytest.FixtureRequest) -> None:
    """pytest-xdist tells a group by a test's name, which not every pytest lets it change."""
    has_groups = bool(getattr(request.config.option, "loadgroup", False))

    assert request.node.nodeid.endswith("@groups") == has_groups


def test_every_group_that_is_named_as_long_is_a_group() -> None:
    """A name that no test bears any more would leave its successor for the end."""
    texts = [path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("test_*.py")]

    marked = {name for name in LONG if any(f'xdist_group("{name}")' in text for text in texts)}

    assert marked == set(LONG)


def test_one_worker_takes_the_longest_group_and_another_a_short_one() -> None:
    """What waits and what computes run side by side; nobody idles while there is anything."""
    waiting = ["a.py::test_a", LONG[3], "b.py::test_b", LONG[1]]

    assert next_group(waiting, takes_long=True) == LONG[1]
    assert next_group(waiting, takes_long=False) == "a.py::test_a"
    assert next_group(["a.py::test_a"], takes_long=True) == "a.py::test_a"
    assert next_group([LONG[3], LONG[1]], takes_long=False) == LONG[1]
