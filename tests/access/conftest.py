"""An edge over memory for each test."""

from pathlib import Path

import pytest

from tests.api.parts import Backend, build_backend


@pytest.fixture
def backend(tmp_path: Path) -> Backend:
    """An edge whose limits are the defaults."""
    return build_backend(tmp_path)
