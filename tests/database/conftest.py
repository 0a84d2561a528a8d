"""Folders for servers that run as another user."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def reachable_folder() -> Iterator[Path]:
    """A temporary folder that every user can pass through (pytest's own ones are private)."""
    folder = Path(tempfile.mkdtemp(prefix="gx-test-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)
