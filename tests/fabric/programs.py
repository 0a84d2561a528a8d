"""Fabric's own programs, which a test runs on."""

import os
import sys
from pathlib import Path
from typing import Final

import pytest

from gx.fabric.release import (
    Binaries,
    FabricMissingError,
    Program,
    find_binaries,
    refusal_path,
)
from gx.runtime.settings import FabricNetworkSettings, load

IS_CI: Final = bool(os.environ.get("CI"))  # noqa: TID251 (tests have no settings module)


def require_programs() -> Binaries:
    """Return Fabric's own programs, or skip the test where there are none to be had.

    In CI they must be there, unless Go's module proxy has refused to hand their module out: then
    nobody can build them, and what it answered is shown.
    """
    cache = load(FabricNetworkSettings).cache_dir
    try:
        return find_binaries(cache)
    except FabricMissingError as error:
        refusal = refusal_path(cache)
        if refusal.exists():
            pytest.skip(f"Go may not have Fabric: {refusal.read_text(encoding='utf-8')[:300]}")
        if IS_CI:
            pytest.fail(str(error))
        pytest.skip(str(error))


def path_with(binaries: Binaries) -> str:
    """Return a PATH on which these programs come first, and then this checkout's `gx`."""
    folder = binaries.paths[Program.PEER].parent
    return f"{folder}:{Path(sys.executable).parent}:{os.environ['PATH']}"  # noqa: TID251 (a child's)
