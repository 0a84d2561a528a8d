"""The release before this one is what it claims to be, and what it published still stands."""

import subprocess
import sys
from pathlib import Path

import pytest

from gx import __version__
from gx.database.migrations import load_migrations
from tests.upgrade.previous import ROOT, Release, environment_of, load_previous, unpacked


def test_it_is_older_code_and_says_so() -> None:
    """The wheel runs on this environment's packages, and is another version than the checkout."""
    previous = load_previous()
    with unpacked(previous) as folder:
        said = subprocess.run(
            (sys.executable, "-m", "gx.cli.main", "--version"),
            env=environment_of(folder),
            cwd=folder,
            check=True,
            capture_output=True,
            text=True,
        ).stdout.strip()

    assert said == previous.version
    assert previous.version != __version__, "raise the version, or make the previous release anew"


def test_a_changed_wheel_is_refused(tmp_path: Path) -> None:
    """What runs beside this version is what was recorded, byte for byte."""
    previous = load_previous()
    other = Release(
        version=previous.version, commit=previous.commit, wheel=previous.wheel, sha256="0" * 64
    )

    with pytest.raises(ValueError, match="is not what"):
        other.unpack(tmp_path)


def test_published_migrations_stay_what_they_were() -> None:
    """A database that has them would refuse a file that changed; one without would differ."""
    now = {migration.name: migration.path.read_bytes() for migration in load_migrations()}

    published = load_previous().migrations()

    assert published
    assert {name: now.get(name) for name in published} == dict(published)


def test_the_way_to_make_it_is_recorded() -> None:
    """The wheel names the commit that it was built from, and make has the command."""
    previous = load_previous()

    assert len(previous.commit) == 40
    assert f"COMMIT={previous.commit[:7]}" in (ROOT / "Makefile").read_text(encoding="utf-8")
