"""Debian packages without installing them: downloaded by apt, unpacked into a folder.

Installing them would start services on every interface, one of them on a port of ours,
and would need root. `apt-get download` checks each file against the signed lists of the
machine; where those lists are missing or stale, a private copy is fetched first, which
an ordinary user may do too.
"""

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Protocol

from gx.domain.errors import GxError

DOWNLOAD_TIMEOUT_S: Final = 180
UPDATE_TIMEOUT_S: Final = 120
UNPACK_TIMEOUT_S: Final = 60
ERROR_LINES_MAX: Final = 3

# Short timeouts: somebody is waiting for `make run`, perhaps behind a wall that drops
# packets. The sandbox user of apt could not write into a private folder.
APT_OPTIONS: Final = (
    *("-o", "Acquire::Retries=0"),
    *("-o", "Acquire::http::Timeout=10"),
    *("-o", "Acquire::https::Timeout=10"),
    *("-o", "APT::Sandbox::User=root"),
)


class FetchError(GxError):
    """Packages cannot be had here and now; the text says why."""


class PackageFetcher(Protocol):
    """Gets Debian packages of this machine's release and architecture."""

    def fetch(self, packages: Sequence[str], into: Path) -> None:
        """Put the `.deb` files of all these packages into an existing folder.

        Raises:
            FetchError: At least one of them cannot be had.
        """
        ...


class AptFetcher:
    """Gets packages with apt-get; needs neither root nor the machine's own lists."""

    def __init__(self, private_lists: Path) -> None:
        self._private_lists = private_lists.absolute()
        self._options: Sequence[str] | None = None  # those of the private lists, once tried

    def fetch(self, packages: Sequence[str], into: Path) -> None:
        """Download with the machine's lists, or, if that fails, with fresh private ones.

        The private lists are fetched once at most, also where the network is down.
        """
        require_programs("apt-get", "dpkg-deb")
        try:
            self._download(packages, into, options=self._options or ())
        except FetchError:
            if self._options is not None:
                raise
            self._options = self._private_options()
            self._update(self._options)
            self._download(packages, into, options=self._options)

    def _download(self, packages: Sequence[str], into: Path, *, options: Sequence[str]) -> None:
        command = ["apt-get", *APT_OPTIONS, *options, "download", *packages]
        run_program(command, folder=into, timeout_s=DOWNLOAD_TIMEOUT_S)

    def _update(self, options: Sequence[str]) -> None:
        command = ["apt-get", *APT_OPTIONS, *options, "update"]
        run_program(command, folder=self._private_lists, timeout_s=UPDATE_TIMEOUT_S)

    def _private_options(self) -> list[str]:
        """Return the options that keep apt's lists and cache in our own folder."""
        lists, cache = self._private_lists / "lists", self._private_lists / "cache"
        (lists / "partial").mkdir(parents=True, exist_ok=True)
        (cache / "archives" / "partial").mkdir(parents=True, exist_ok=True)
        settings = (
            f"Dir::State::lists={lists}",
            f"Dir::Cache={cache}",
            "Acquire::Languages=none",
            "Acquire::IndexTargets::deb::DEP-11::DefaultEnabled=false",
            "Acquire::IndexTargets::deb::Contents-deb::DefaultEnabled=false",
        )
        return [word for setting in settings for word in ("-o", setting)]


def unpack(downloads: Path, into: Path) -> None:
    """Unpack every `.deb` of a folder into a root-like tree; run none of their scripts.

    Raises:
        FetchError: A file is damaged, or dpkg-deb is missing.
    """
    for package in sorted(downloads.glob("*.deb")):
        run_program(
            ["dpkg-deb", "-x", str(package), str(into)],
            folder=downloads,
            timeout_s=UNPACK_TIMEOUT_S,
        )


def require_programs(*names: str) -> None:
    """Require that this is a machine with these programs.

    Raises:
        FetchError: One is missing.
    """
    missing = [name for name in names if shutil.which(name) is None]
    if missing:
        raise FetchError(f"this machine has no {' and no '.join(missing)}")


def run_program(command: Sequence[str], *, folder: Path, timeout_s: float) -> None:
    """Run a program in a folder and wait for it.

    Raises:
        FetchError: It failed, or took too long; with the last lines that it said.
    """
    try:
        answer = subprocess.run(  # noqa: S603 (fixed programs; package names are constants)
            command,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            check=False,
            timeout=timeout_s,
        )
    except subprocess.TimeoutExpired as error:
        raise FetchError(f"{command[0]} took more than {timeout_s:.0f} s") from error
    except OSError as error:
        raise FetchError(f"{command[0]}: {error.strerror}") from error
    if answer.returncode != 0:
        said = " / ".join(answer.stdout.strip().splitlines()[-ERROR_LINES_MAX:])
        raise FetchError(f"{command[0]} failed: {said}")
