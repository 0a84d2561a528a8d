"""Tie a program to the life of the process that starts it, as another user if asked.

It lives in this folder because the database is the lowest part that starts a program.
"""

import os
import pwd
import signal
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

SCRIPT: Final = Path(__file__).resolve().with_name("tether_exec.py")


@dataclass(frozen=True, kw_only=True, slots=True)
class Account:
    """An operating-system user that a program runs as."""

    name: str
    uid: int
    gid: int


def find_account(names: Sequence[str]) -> Account | None:
    """Return the first of these users that this machine has, else None."""
    for name in names:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(name=name, uid=entry.pw_uid, gid=entry.pw_gid)
    return None


def tethered(
    command: Sequence[str],
    *,
    account: Account | None = None,
    death_signal: signal.Signals = signal.SIGKILL,
) -> list[str]:
    """Build the command line that runs `command` tied to the process that starts it.

    The program gets `death_signal` when the thread that started it ends. With an
    `account` the starter must be root. The environment and open files pass through.
    """
    user = f"{account.uid}:{account.gid}" if account else "-"
    options = [str(os.getpid()), str(int(death_signal)), user]
    return [sys.executable, "-I", "-S", str(SCRIPT), *options, *command]
