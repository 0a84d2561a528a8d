"""Fabric's programs: which release this project runs, and where it is on this machine."""

import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

from gx.domain.errors import GxError

RELEASE: Final = "3.1.5"
MAJOR_MIN: Final = 3  # the channel's capability V3_0
VERSION_TIMEOUT_S: Final = 20.0
DEFAULT_CACHE: Final = Path("~/.cache/gx-protocol/fabric")
UNVERSIONED: Final = ("latest", "")
"""What a program says that was built without the release's linker flags, as by `go install`."""


class FabricMissingError(GxError):
    """Fabric's programs are not on this machine; the text says how to have them."""


class Program(StrEnum):
    """The programs that a network needs."""

    PEER = "peer"
    ORDERER = "orderer"
    CRYPTOGEN = "cryptogen"
    CONFIGTXGEN = "configtxgen"
    OSNADMIN = "osnadmin"


@dataclass(frozen=True, slots=True, kw_only=True)
class Binaries:
    """The five programs, and the release that they say they are."""

    paths: Mapping[Program, Path]
    version: str

    def __getitem__(self, program: Program) -> str:
        """Return the path of one, for a command line."""
        return str(self.paths[program])


def bin_folder(cache: Path) -> Path:
    """Return where the programs are inside a cache folder."""
    return cache.expanduser().absolute() / "bin"


def refusal_path(cache: Path) -> Path:
    """Return the file that keeps what Go's client answered when it could not have the module."""
    return cache.expanduser().absolute() / "refused.txt"


def find_binaries(cache: Path, *, search_path: str | None = None) -> Binaries:
    """Return the programs: from PATH (or `search_path`) if all are there, else from the cache.

    Raises:
        FabricMissingError: they are in neither, or are older than release 3.
    """
    problems = []
    for place, folders in (("PATH", search_path), (str(cache), str(bin_folder(cache)))):
        paths = {program: shutil.which(program, path=folders) for program in Program}
        missing = [program.value for program, path in paths.items() if path is None]
        if missing:
            problems.append(f"{place} lacks {', '.join(missing)}")
            continue
        found = {program: Path(path) for program, path in paths.items() if path is not None}
        version = program_version(found[Program.PEER])
        if version in UNVERSIONED or _major(version) >= MAJOR_MIN:
            return Binaries(paths=found, version=_shown(version))
        problems.append(f"{found[Program.PEER]} is release {version}, too old")
    raise FabricMissingError(
        f"Hyperledger Fabric {RELEASE} is not on this machine ({'; '.join(problems)}). "
        "Build it once with `make fabric` (it needs Go), or put its programs on PATH."
    )


def find_peer(cache: Path, *, search_path: str | None = None) -> str:
    """Return the path of `peer` alone, which is all that administering another network needs.

    Raises:
        FabricMissingError: it is neither on PATH nor in the cache.
    """
    for folders in (search_path, str(bin_folder(cache))):
        path = shutil.which(Program.PEER, path=folders)
        if path is not None:
            return path
    raise FabricMissingError(
        f"Fabric's `peer` is neither on PATH nor in {cache}; build it once with `make fabric`, "
        "or put it on PATH"
    )


def program_version(path: Path) -> str:
    """Return the release that `peer` says it is.

    Raises:
        FabricMissingError: it does not run here.
    """
    try:
        answer = subprocess.run(  # noqa: S603 (the program that we are asked about)
            [str(path), "version"],
            capture_output=True,
            text=True,
            check=False,
            timeout=VERSION_TIMEOUT_S,
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise FabricMissingError(f"{path} does not run on this machine: {error}") from error
    match = re.search(r"^\s*Version:\s*v?(\S*)", answer.stdout, re.MULTILINE)
    if answer.returncode or match is None:
        said = (answer.stderr or answer.stdout).strip()[-200:]
        raise FabricMissingError(f"{path} is not Fabric's `peer`: it answered {said!r}")
    return match[1]


def _major(version: str) -> int:
    digits = re.match(r"\d+", version)
    return int(digits[0]) if digits else 0


def _shown(version: str) -> str:
    return "built without a version" if version in UNVERSIONED else version


def is_executable(path: Path) -> bool:
    """Say whether there is a program at this path."""
    return path.is_file() and os.access(path, os.X_OK)
