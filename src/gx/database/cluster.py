"""A cluster's files: made once by initdb, checked before every later start."""

import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from gx.database import places
from gx.database.binaries import PostgresBinaries
from gx.database.postmaster import release_stale_lock
from gx.database.tether import Account
from gx.domain.errors import GxError

OWNER: Final = "gx"
DATABASE: Final = "gx"
TIMEOUT_S: Final = 120
ENVIRONMENT: Final[Mapping[str, str]] = {"LC_ALL": "C", "PATH": "/usr/bin:/bin"}

# Checksums find a damaged page when it is read. The C locale compares bytes, so an index
# does not depend on the machine's C library. Both are the cluster's for life.
INITDB_OPTIONS: Final = (
    f"--username={OWNER}",
    "--encoding=UTF8",
    "--locale=C",
    "--data-checksums",
    "--auth-local=peer",  # of files that are not used: the server gets its own pg_hba.conf
    "--auth-host=reject",
    "--no-instructions",
)
# The first failed statement ends the program, and the password in it stays out of the log.
SINGLE_USER_OPTIONS: Final = (
    "--single",
    *("-c", "exit_on_error=on"),
    *("-c", "log_min_error_statement=panic"),
    *("-c", "log_checkpoints=off"),
)


class EmbeddedPostgresError(GxError):
    """The embedded server cannot be prepared or started; the text says why and what to do."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Cluster:
    """The cluster in `folder`/data, whose files belong to `account` (or to us, without one)."""

    folder: Path
    account: Account | None
    binaries: PostgresBinaries

    @property
    def data(self) -> Path:
        """The data folder."""
        return self.folder / "data"

    def create(self, password: str) -> None:
        """Make the cluster, its owner's password and the database.

        It is made beside its place and renamed, so one that was interrupted is made anew.
        """
        partial = self.folder / "data.partial"
        shutil.rmtree(partial, ignore_errors=True)
        places.private_folder(partial, self.account)
        self._run([self.binaries.program("initdb"), "-D", str(partial), *INITDB_OPTIONS])
        self._run_single_user(partial, f"ALTER ROLE {OWNER} PASSWORD '{password}'")
        self._run_single_user(partial, f"CREATE DATABASE {DATABASE}")
        partial.rename(self.data)

    def change_password(self, password: str) -> None:
        """Give the owner another password; no server may be running."""
        self._run_single_user(self.data, f"ALTER ROLE {OWNER} PASSWORD '{password}'")

    def require_usable(self) -> None:
        """Require that these programs can start a server here now.

        Raises:
            EmbeddedPostgresError: The cluster was made by another major version.
            ServerRunningError: A live server holds the data folder.
        """
        made_by = int((self.data / "PG_VERSION").read_text(encoding="utf-8").partition(".")[0])
        if made_by != self.binaries.major:
            raise EmbeddedPostgresError(
                f"The cluster in {self.data} was made by PostgreSQL {made_by}, but the programs"
                f" in {self.binaries.folder} are version {self.binaries.version}. Install"
                f" version {made_by}, or move the folder away to begin anew."
            )
        release_stale_lock(self.data)

    def _run_single_user(self, data: Path, statement: str) -> None:
        postgres = self.binaries.program("postgres")
        command = [postgres, *SINGLE_USER_OPTIONS, "-D", str(data), "postgres"]
        self._run(command, text_in=statement + "\n")

    def _run(self, command: Sequence[str], *, text_in: str = "") -> None:
        account = self.account
        answer = subprocess.run(  # noqa: S603 (our own programs and options)
            command,
            input=text_in,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            cwd="/",
            env=dict(ENVIRONMENT),
            timeout=TIMEOUT_S,
            user=account.uid if account else None,
            group=account.gid if account else None,
            extra_groups=[] if account else None,
        )
        if answer.returncode != 0:
            raise EmbeddedPostgresError(
                f"{Path(command[0]).name} failed with status {answer.returncode} in"
                f" {self.folder}. It said:\n{answer.stdout.strip()}"
            )
