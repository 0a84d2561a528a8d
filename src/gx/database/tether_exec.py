"""Become a program that dies with its parent, as another user if asked (a script).

`tether.py` builds the command line that runs this file. Two things are wanted of a child
program and they disturb each other: it must die when its parent is killed with SIGKILL
(nobody is left to stop it), and, when the parent is root, it must run as an ordinary
user. Linux forgets the parent-death signal whenever the user id changes (prctl(2),
PR_SET_PDEATHSIG), so the order matters: change the user, ask for the signal, look whether
the parent is still there, then become the program.

It imports little, so that it takes about 15 ms, and it replaces itself by the program, so
that the process id stays the one the parent knows.
"""

import ctypes
import os
import sys

PR_SET_PDEATHSIG = 1  # linux/prctl.h
PARENT_GONE_STATUS = 113  # the parent died before the program could start
EXEC_FAILED_STATUS = 127  # the shell's number for "command not found"


def drop_privileges(user: str) -> None:
    """Become `uid:gid` for good, without supplementary groups; `-` keeps the user."""
    if user == "-":
        return
    uid, _, gid = user.partition(":")
    os.setgroups([])
    os.setgid(int(gid))
    os.setuid(int(uid))


def die_with_parent(parent_pid: int, death_signal: int) -> None:
    """Ask the kernel for `death_signal` at the parent's end; exit if it has ended.

    Elsewhere than on Linux there is no such request and the program merely starts.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, death_signal, 0, 0, 0)
    if os.getppid() != parent_pid:
        sys.exit(PARENT_GONE_STATUS)


def main(arguments: list[str]) -> None:
    """Become the program named by `parent-pid death-signal user command…`."""
    parent_pid, death_signal, user, *command = arguments
    drop_privileges(user)
    die_with_parent(int(parent_pid), int(death_signal))
    try:
        os.execvp(command[0], command)  # noqa: S606 (a shell would be one more process to kill)
    except OSError as error:
        sys.stderr.write(f"cannot run {command[0]}: {error.strerror}\n")
        sys.exit(EXEC_FAILED_STATUS)


if __name__ == "__main__":
    main(sys.argv[1:])
