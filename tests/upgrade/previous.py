"""The release before this one: a wheel of real older code, kept beside the tests that run it.

A checkout may have no history, so the wheel is made once and committed with its checksum:

    make previous-release COMMIT=2179ee4

builds it from that commit. Build times come from the commit, so the same commit gives the same
bytes. It runs on the packages of this checkout's environment, from a folder it is unpacked into.
"""

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from io import BytesIO
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
RELEASES: Final = Path(__file__).parent / "releases"
RECORD: Final = RELEASES / "previous.json"
MIGRATIONS: Final = "gx/database/migrations/"


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """A release as it was built; `commit` is what it was built from."""

    version: str
    commit: str
    wheel: str
    sha256: str

    @property
    def path(self) -> Path:
        """Where the wheel lies."""
        return RELEASES / self.wheel

    def unpack(self, folder: Path) -> None:
        """Put its packages into a folder.

        Raises:
            ValueError: the wheel is not the one that was recorded.
        """
        if _digest(self.path) != self.sha256:
            raise ValueError(f"{self.path} is not what {RECORD} records: make it anew")
        with zipfile.ZipFile(self.path) as wheel:
            wheel.extractall(folder)  # noqa: S202 (its checksum is ours)

    def migrations(self) -> Mapping[str, bytes]:
        """Return its migrations by file name."""
        with zipfile.ZipFile(self.path) as wheel:
            names = [name for name in wheel.namelist() if name.endswith(".sql")]
            return {
                name.removeprefix(MIGRATIONS): wheel.read(name)
                for name in sorted(names)
                if name.startswith(MIGRATIONS)
            }


def load_previous() -> Release:
    """Return the release before this one."""
    return Release(**json.loads(RECORD.read_text(encoding="utf-8")))


def environment_of(folder: Path) -> dict[str, str]:
    """Return what makes Python run the release in this folder instead of the checkout."""
    return {"PYTHONPATH": str(folder)}


@contextmanager
def unpacked(release: Release) -> Iterator[Path]:
    """Unpack it where every user may read it: the database's user runs some of it."""
    with tempfile.TemporaryDirectory(prefix="gx-release-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        release.unpack(folder)
        yield folder


def build(commit: str) -> Release:
    """Build a commit's wheel, and make it the release before this one."""
    full = _git("rev-parse", f"{commit}^{{commit}}").decode().strip()
    with tempfile.TemporaryDirectory(prefix="gx-release-") as name:
        sources, made = Path(name) / "sources", Path(name) / "made"
        with tarfile.open(fileobj=BytesIO(_git("archive", full))) as archive:
            archive.extractall(sources, filter="data")
        committed_at_s = _git("show", "-s", "--format=%ct", full).decode().strip()
        wheel = _build_wheel(sources, made, committed_at_s)
        for old in RELEASES.glob("*.whl"):
            old.unlink()
        shutil.copyfile(wheel, RELEASES / wheel.name)
    release = Release(
        version=wheel.name.split("-")[1],
        commit=full,
        wheel=wheel.name,
        sha256=_digest(RELEASES / wheel.name),
    )
    RECORD.write_text(json.dumps(asdict(release), indent=2) + "\n", encoding="utf-8")
    return release


def _build_wheel(sources: Path, made: Path, committed_at_s: str) -> Path:
    pip = (sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps")
    subprocess.run(
        (*pip, "--disable-pip-version-check", "--wheel-dir", str(made), str(sources)),
        env={**os.environ, "SOURCE_DATE_EPOCH": committed_at_s},  # noqa: TID251 (pip's own)
        check=True,
    )
    (wheel,) = made.glob("*.whl")
    return wheel


def _git(*arguments: str) -> bytes:
    return subprocess.run(("git", *arguments), cwd=ROOT, check=True, capture_output=True).stdout


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def main() -> None:
    """Build the release that the command line names."""
    parser = argparse.ArgumentParser(description="Make a commit the release before this one.")
    parser.add_argument("commit", help="the commit that was released")
    release = build(parser.parse_args().commit)
    print(f"{release.path.relative_to(ROOT)}: {release.version}, sha256 {release.sha256}")  # noqa: T201 (this is a program)


if __name__ == "__main__":
    main()
