"""Folders that the server's user can reach, without touching the mode of anyone else's.

Root runs the server as an ordinary user, and a checkout may lie below a folder that only
root can enter. Then everything that the server must see goes to a folder of its own below
`/var/lib` (or `/var/tmp`), named after a hash of the place where it should have been, so
that the same checkout finds it again.
"""

import hashlib
import os
import stat
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from gx.database.tether import Account
from gx.domain.errors import GxError

# /var/tmp second: systemd-tmpfiles of newer systems empties it of files unused for 30 days.
FALLBACK_ROOTS: Final = (Path("/var/lib"), Path("/var/tmp"))  # noqa: S108 (ownership is checked)
SHORT_ROOT: Final = Path("/tmp")  # noqa: S108 (ownership is checked; Unix sockets need a short path)
HASH_DIGITS: Final = 12
PROBE_TIMEOUT_S: Final = 10


class UnreachableFolderError(GxError):
    """The server's user cannot reach its folder, nor is there another place for it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """A folder in which the server's user can work; `notice` says so if it is not the usual one."""

    folder: Path
    notice: str | None = None


def choose_place(
    home: Path, account: Account | None, *, fallback_roots: Sequence[Path] = FALLBACK_ROOTS
) -> Place:
    """Return `home`, or the fallback if the account cannot reach `home` or lived there before.

    Raises:
        UnreachableFolderError: Nothing can be reached, or a cluster lies where it no
            longer can; starting an empty one elsewhere would look like lost data.
    """
    make_folder(home, open_to=account)
    if account is None:
        return Place(folder=home)
    settled = [root for root in fallback_roots if holds_cluster(root / fallback_name(home))]
    if settled and not holds_cluster(home):
        return _fallback_place(home, settled[0])
    if can_enter(home, account):
        return Place(folder=home)
    if holds_cluster(home):
        raise UnreachableFolderError(
            f"The cluster in {home} cannot be reached by the user {account.name}."
            f" Give it back the right to enter {home} and the folders above it."
        )
    for root in fallback_roots:
        if os.access(root, os.W_OK | os.X_OK) and can_enter(root, account):
            return _fallback_place(home, root)
    raise UnreachableFolderError(
        f"The user {account.name} can reach neither {home} nor any of"
        f" {', '.join(map(str, fallback_roots))}. Run as an ordinary user, or set DATABASE_URL."
    )


def _fallback_place(home: Path, root: Path) -> Place:
    folder = owned_folder(root / fallback_name(home))
    return Place(
        folder=folder,
        notice=f"The database's user cannot enter {home}: its data is in {folder} instead.",
    )


def fallback_name(home: Path) -> str:
    """Return the name that stands for `home` below a fallback root."""
    digest = hashlib.sha256(str(home.resolve()).encode()).hexdigest()
    return f"gx-{digest[:HASH_DIGITS]}"


def holds_cluster(folder: Path) -> bool:
    """Say whether a finished cluster is in this place."""
    return (folder / "data" / "PG_VERSION").is_file()


def can_enter(folder: Path, account: Account) -> bool:
    """Try, as that user, to enter the folder: modes, ACLs and mounts all have their say."""
    answer = subprocess.run(  # noqa: S603 (the path is passed as an argument, not as code)
        ["/bin/sh", "-c", 'cd "$1"', "sh", str(folder)],
        check=False,
        stderr=subprocess.DEVNULL,
        cwd="/",
        timeout=PROBE_TIMEOUT_S,
        user=account.uid,
        group=account.gid,
        extra_groups=[],
    )
    return answer.returncode == 0


def make_folder(folder: Path, *, open_to: Account | None) -> None:
    """Make a folder and its missing parents; for another user's sake they can be passed through.

    Only folders made here get a mode: one that was there keeps its own.
    """
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    for path in reversed(missing):
        path.mkdir()
        if open_to is not None:
            path.chmod(0o711)


def require_writable(folder: Path) -> None:
    """Require that we can write in a folder, or make it.

    Raises:
        UnreachableFolderError: It, or the folder it would be made in, is another user's.
    """
    existing = next(path for path in (folder, *folder.parents) if path.exists())
    if not os.access(existing, os.W_OK | os.X_OK):
        raise UnreachableFolderError(
            f"This user cannot write in {existing} (did root start the stack before?)."
            " Start as its owner, give the folder to this user, or name another in GX_DATA_DIR."
        )


def owned_folder(folder: Path) -> Path:
    """Make or find a folder in a place where anybody may write, and require that it is ours.

    Raises:
        UnreachableFolderError: Somebody else made it, or it is a link.
    """
    try:
        folder.mkdir()
    except FileExistsError:
        found = folder.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
            raise UnreachableFolderError(
                f"{folder} exists and is not a folder of ours. Remove it and start again."
            ) from None
    folder.chmod(0o711)
    return folder


def private_folder(folder: Path, account: Account | None) -> Path:
    """Make a folder that only the account (or, without one, we) can enter."""
    folder.mkdir(mode=0o700, exist_ok=True)
    if account is not None and folder.stat().st_uid != account.uid:
        os.chown(folder, account.uid, account.gid)
    return folder


def write_file(path: Path, text: str, *, mode: int = 0o644) -> None:
    """Replace a file by one rename, with exactly this mode."""
    partial = path.with_name(path.name + ".partial")
    partial.unlink(missing_ok=True)
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        os.fchmod(file.fileno(), mode)
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)
