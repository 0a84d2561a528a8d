"""Scenes in which a process stops or dies between two steps that belong together."""

import asyncio
import secrets
import signal
from collections.abc import Sequence
from typing import Final

from tests.chaos.lab import Lab, until

SHORT_S: Final = 1.0
"""The lease of one that dies or stands still: so long its successor waits."""


async def frozen_past_its_lease(lab: Lab, bugs: Sequence[str]) -> None:
    """A submitter wakes up behind its successor, and goes on with what it was about to do."""
    await lab.start_ledger()
    await lab.bootstrap("alice", "bob")
    await lab.transfer("alice", "bob")
    halts = ("before-persist=SIGSTOP", "before-submit=SIGSTOP")
    zombie = lab.start("submitter", *bugs, *halts, submitter_lease_s=SHORT_S)
    await until(zombie.is_stopped, "submitter that stands still")
    successor = lab.start("submitter", "before-persist=SIGSTOP", submitter_lease_s=60)
    await until(successor.is_stopped, "successor")
    zombie.resume()
    await until(
        lambda: zombie.says("lease_lost") or zombie.is_stopped(), "word from the one that woke up"
    )
    successor.resume()
    await lab.until_settled(await lab.transfer("alice", "bob"))
    zombie.resume()
    lab.start("projector")
    await lab.until_quiet()


async def killed_after_submitting(lab: Lab, bugs: Sequence[str]) -> None:
    """A submitter dies when the ledger has its transaction, and before it knows that."""
    await lab.start_ledger()
    await lab.bootstrap("alice", "bob")
    await lab.transfer("alice", "bob")
    first = lab.start("submitter", *bugs, "after-submit=SIGKILL", submitter_lease_s=SHORT_S)
    await until(lambda: not first.is_alive(), "dead submitter")
    lab.start("submitter")
    lab.start("projector")
    await lab.until_quiet()


async def killed_behind_the_checkpoint(lab: Lab, bugs: Sequence[str]) -> None:
    """A projector dies when its checkpoint has moved and nothing else has."""
    await lab.start_ledger()
    await lab.bootstrap("alice", "bob")
    first = lab.start("projector", *bugs, "before-rows=SIGKILL", projector_lease_s=SHORT_S)
    await until(lambda: not first.is_alive(), "dead projector")
    lab.start("projector", *bugs)
    lab.start("submitter")
    await lab.transfer("alice", "bob")
    await lab.until_quiet()


async def restored_from_an_older_dump(lab: Lab, bugs: Sequence[str]) -> None:
    """PostgreSQL forgets that a command was answered, and it is sent once more."""
    await lab.start_ledger(*bugs)
    await lab.bootstrap("alice", "bob")
    await lab.transfer("alice", "bob")
    dump = await _copy_of(lab)
    submitter = lab.start("submitter")
    await lab.until_settled()
    await asyncio.to_thread(submitter.end, signal.SIGTERM)
    lab.dsn = dump
    lab.notes["repeats_allowed"] = True
    lab.start("submitter")
    lab.start("projector")
    await lab.until_quiet()


async def _copy_of(lab: Lab) -> str:
    """Copy the lab's database, as a dump that is restored would be, and return its address."""
    copy = f"{lab.database}_{secrets.token_hex(2)}"
    await lab.administer(f"CREATE DATABASE {copy} TEMPLATE {lab.database}")
    return lab.address_of(copy)
