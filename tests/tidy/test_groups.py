"""House rule: tests that share a running system run in one process."""

import pytest

pytestmark = pytest.mark.xdist_group("groups")


def test_groups_are_kept_together(request: pytest.FixtureRequest) -> None:
    """pytest-xdist tells a group by a test's name, which not every pytest lets it change."""
    has_groups = bool(getattr(request.config.option, "loadgroup", False))

    assert request.node.nodeid.endswith("@groups") == has_groups
