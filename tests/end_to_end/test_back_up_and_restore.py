"""An older dump, and an older copy of the ledger, are put back under load: nothing doubles."""

import asyncio
import json
import re
import shutil
import signal
import sqlite3
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import asyncpg
import httpx
import pytest

from gx.database.binaries import find_binaries
from tests.chaos.driver import Driver
from tests.chaos.findings import Rule
from tests.chaos.scenes import (
    FAST_RECOVERY,
    a_driver,
    faults_in,
    judged,
    settle,
    under_load,
)
from tests.end_to_end.loop import Loop, running_loop
from tests.end_to_end.tour import Step, read_steps, type_line

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600), pytest.mark.xdist_group("restore")]

GUIDE: Final = Path(__file__).parents[2] / "docs" / "how-to" / "back-up-and-restore.md"
PATIENCE_S: Final = 120.0
LATE: Final = 12
VOLATILE: Final = (
    (re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}"), "ID"),
    (re.compile(r"[0-9a-f]{64}"), "TX"),
    (re.compile(r"COMMITTED|REJECTED [A-Z_]+"), "OUTCOME"),
    (re.compile(r"[0-9]+([.][0-9]+)?"), "N"),
    (re.compile(r" +"), " "),
)
EXPECTED: Final = frozenset({Rule.UNTOLD, Rule.SENT_AGAIN, Rule.ORDER})
"""What the judge must see: commands that the ledger has and the outbox lost, and their repeats."""


@dataclass
class Story:
    """A loop that is backed up and restored as the guide says, and what its clients know."""

    loop: Loop
    driver: Driver
    folder: Path
    late: dict[str, tuple[str, dict[str, str]]] = field(default_factory=dict)

    async def type(self, step: Step) -> str:
        """Type a step of the guide, its files in this test's folder."""
        return await type_line(self.loop, step.command.replace("/tmp/", f"{self.folder}/"))  # noqa: S108 (the guide's)

    async def fetch(self, statement: str, *arguments: object) -> list[asyncpg.Record]:
        """Ask the database that the loop uses now."""
        connection = await asyncpg.connect(self.loop.dsn)
        try:
            return list(await connection.fetch(statement, *arguments))
        finally:
            await connection.close()

    async def send(self, key: str, body: dict[str, str]) -> str:
        """Send a transfer until it is accepted; return the command's id."""
        headers = {
            "Authorization": f"Bearer {self.driver.partner_token}",
            "X-On-Behalf-Of": body["fromId"],
            "Idempotency-Key": key,
        }
        deadline_s = time.monotonic() + PATIENCE_S
        async with httpx.AsyncClient(base_url=self.loop.url, timeout=5) as client:
            while time.monotonic() < deadline_s:
                answer = await client.post("/transfers", json=body, headers=headers)
                if answer.status_code < httpx.codes.INTERNAL_SERVER_ERROR:
                    assert answer.status_code == httpx.codes.ACCEPTED, answer.text
                    return str(answer.json()["commandId"])
                await asyncio.sleep(0.2)
        raise AssertionError(f"{key} was never accepted")

    async def send_late(self) -> None:
        """Send what the dump will not know."""
        for number in range(LATE):
            key = f"late-{number}"
            body = a_transfer(number + 1)
            self.late[key] = (await self.send(key, body), body)

    async def reconcile(self, *options: str, **settings: str) -> tuple[int, dict[str, object]]:
        """Compare everything; return the exit code and the report."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "gx.cli.main", "reconcile", "--json", *options),
            env={**self.loop.environment, **settings},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        output, errors = await process.communicate()
        assert output, errors.decode()
        return process.returncode or 0, json.loads(output)

    async def judged(self) -> list[str]:
        """Have the judge recount everything; return the faults that no restore explains."""
        stored = {row[0] for row in await self.fetch("SELECT command_id::text FROM commands")}
        accepted = {c: key for c, key in self.driver.accepted.items() if c in stored}
        notes = self.folder / "notes.json"
        text = json.dumps({"accepted": accepted, "repeats_allowed": True})
        await asyncio.to_thread(notes.write_text, text)
        faults = faults_in(await judged(self.loop.dsn, self.loop.ledger_file, notes))
        return [each for each in faults if not each.startswith(tuple(EXPECTED))]


def a_transfer(amount: int) -> dict[str, str]:
    """A transfer between two accounts of the driver's."""
    return {"fromId": "chaos-0", "toId": "chaos-1", "amount": str(amount), "remark": "Late"}


@asynccontextmanager
async def a_story(folder: Path) -> AsyncIterator[Story]:
    """A loop with funded accounts; the server's own programs come first on the path."""
    programs = find_binaries().folder
    options = {**FAST_RECOVERY, "NO_COLOR": "1", "COLUMNS": "200"}
    async with running_loop("--no-monitoring", environment=options) as loop:
        path = f"{programs}:{loop.environment['PATH']}"
        loop.environment = {**loop.environment, "PATH": path}
        driver = await a_driver(loop, seed=7)
        await driver.prepare()
        yield Story(loop, driver, folder)


async def until(holds: Callable[[], Awaitable[bool]]) -> None:
    """Wait until something holds."""
    deadline_s = time.monotonic() + PATIENCE_S
    while not await holds():
        assert time.monotonic() < deadline_s, "it never came to hold"
        await asyncio.sleep(0.2)


async def test_the_guide_brings_an_older_dump_back_and_nothing_doubles(tmp_path: Path) -> None:
    """Taken under load with commands on their way; more commands; restored; sent again."""
    steps = list(read_steps(GUIDE))
    dump, restoring, naming, declaring = steps[0], steps[1:6], steps[6], steps[7]
    assert "pg_dump" in dump.command
    assert "RENAME TO gx" in restoring[-1].command
    async with a_story(tmp_path) as story:
        async with under_load(story.driver):
            await asyncio.sleep(1)
            code, report = await story.reconcile()
            assert (code, report["differences"]) == (0, 0), report
            await dump_with_commands_on_their_way(story, dump)
        await story.send_late()
        await settle(story.loop)
        late_results = await results_of(story, [late[0] for late in story.late.values()])
        assert len(late_results) == LATE

        for step in restoring:
            printed = await story.type(step)
            assert printed.split() == " ".join(step.output).split(), step.command
        waiting = await story.fetch("SELECT command_id FROM outbox")
        await settle(story.loop)
        assert await results_of(story, [str(row[0]) for row in waiting])

        await what_is_missing_is_named_and_declared(story, naming, declaring)
        await what_is_sent_again_happens_once(story, late_results)
        assert await story.judged() == []
        await a_forged_row_is_repaired_and_nothing_else(story)
        await a_hash_flipped_on_the_ledger_is_named_first(story)
        await an_older_ledger_is_refused_until_the_right_one_is_back(story)


async def dump_with_commands_on_their_way(story: Story, dump: Step) -> None:
    """While the ledger stands still, commands wait with and without an envelope.

    It has to be stopped between an endorsement and its block, so it is tried until that is hit.
    """

    async def is_dumped() -> bool:
        assert story.loop.send("ledger", signal.SIGSTOP)
        try:
            await asyncio.sleep(0.5)
            rows = await story.fetch("SELECT count(envelope_id), count(*) FROM outbox")
            if not 0 < rows[0][0] < rows[0][1]:
                return False
            assert await story.type(dump) == ""
        finally:
            story.loop.send("ledger", signal.SIGCONT)
        return True

    await until(is_dumped)


async def results_of(story: Story, command_ids: list[str]) -> dict[str, tuple[str, str, int]]:
    """Read how commands were settled: outcome, transaction and block."""
    rows = await story.fetch(
        "SELECT command_id::text, outcome, transaction_id, block_number FROM command_results"
        " WHERE command_id = ANY ($1::text[]::uuid[])",
        command_ids,
    )
    return {row[0]: (row[1], row[2], row[3]) for row in rows}


async def what_is_missing_is_named_and_declared(
    story: Story, naming: Step, declaring: Step
) -> None:
    """The ledger has commands that the outbox lost, and nothing else differs."""
    assert comparable(await story.type(naming)) == comparable("\n".join(naming.output))
    code, report = await story.reconcile()
    assert code == 1
    by_kind = report["byKind"]
    assert isinstance(by_kind, dict)
    assert by_kind.keys() == {"command_unknown"}, report
    assert by_kind["command_unknown"] >= LATE

    assert comparable(await story.type(declaring)) == comparable("\n".join(declaring.output))
    code, report = await story.reconcile()
    assert (code, report["declaredOutside"]) == (0, by_kind["command_unknown"])


def comparable(output: str) -> list[str]:
    """Replace ids, outcomes and figures, and squeeze what aligns them."""
    for pattern, word in VOLATILE:
        output = pattern.sub(word, output)
    return [line for line in output.splitlines() if line.strip()]


async def what_is_sent_again_happens_once(
    story: Story, late_results: dict[str, tuple[str, str, int]]
) -> None:
    """Under the same keys: new ids, the first transactions, and no balance moves."""
    balances = "SELECT account_id, balance FROM accounts ORDER BY account_id"
    before = await story.fetch(balances)
    again = {key: await story.send(key, body) for key, (_, body) in story.late.items()}
    await settle(story.loop)

    results = await results_of(story, list(again.values()))
    for key, (first_id, _) in story.late.items():
        assert again[key] != first_id
        assert results[again[key]] == late_results[first_id]
    assert await story.fetch(balances) == before
    assert (await story.reconcile())[0] == 0


async def a_forged_row_is_repaired_and_nothing_else(story: Story) -> None:
    """The read models are made again; what commands were told stays as it is, to the byte."""
    told = (
        "SELECT (SELECT md5(string_agg(r::text, '' ORDER BY command_id)) FROM command_results r),"
        " (SELECT md5(string_agg(c::text, '' ORDER BY command_id)) FROM commands c)"
    )
    before = await story.fetch(told)
    height = (await story.reconcile())[1]["outboxBlockNumber"]
    await story.fetch("UPDATE accounts SET balance = balance + 1 WHERE account_id = 'chaos-0'")
    code, report = await story.reconcile()
    assert (code, report["byKind"]) == (1, {"row_changed": 1, "supply": 1})

    code, report = await story.reconcile("--repair", "--reason", "A row was edited by hand")

    assert (code, report["isRepaired"], report["differences"]) == (0, True, 0)
    assert await story.fetch(told) == before
    assert report["outboxBlockNumber"] == height


async def a_hash_flipped_on_the_ledger_is_named_first(story: Story) -> None:
    """In a copy of its file: the block, what is stored, and what its content recomputes."""
    folder = story.folder / "flipped"
    await asyncio.to_thread(folder.mkdir)
    await asyncio.to_thread(copy_ledger, story.loop.ledger_file, folder / "ledger.sqlite")
    with closing(sqlite3.connect(folder / "ledger.sqlite")) as copy, copy:
        changed = copy.execute("UPDATE blocks SET hash = zeroblob(32) WHERE number = 3")
        assert changed.rowcount == 1

    code, report = await story.reconcile(GX_LEDGER="local", GX_LEDGER_FOLDER=str(folder))

    first = report["first"]
    assert isinstance(first, dict)
    assert (code, first["kind"], first["key"]) == (1, "ledger", "block 3")
    assert (first["column"], first["stored"]) == ("hash", "00" * 32)
    assert first["ledger"] != first["stored"]


async def an_older_ledger_is_refused_until_the_right_one_is_back(story: Story) -> None:
    """Its file goes back by some blocks: nobody goes on, both say why, and both go on again."""
    loop, file = story.loop, story.loop.ledger_file
    older, newer = story.folder / "older.sqlite", story.folder / "newer.sqlite"
    await asyncio.to_thread(copy_ledger, file, older)
    await story.send("after-the-copy", a_transfer(1))
    await settle(loop)
    await asyncio.to_thread(copy_ledger, file, newer)

    await replace_ledger(loop, older)
    await until(lambda: says(loop, "outbox-submitter", "it was restored from an older copy"))
    await until(lambda: says(loop, "projector", "it was replaced or restored"))
    refused = await story.send("kept", a_transfer(2))
    assert not await results_of(story, [refused])

    await replace_ledger(loop, newer)
    await until(lambda: settled(story, refused))
    await settle(loop)
    assert (await story.reconcile())[0] == 0


def copy_ledger(source: Path, target: Path) -> None:
    """Copy a running ledger's file as its guide says."""
    with closing(sqlite3.connect(source)) as live, closing(sqlite3.connect(target)) as copy:
        live.backup(copy)


async def replace_ledger(loop: Loop, copy: Path) -> None:
    """Put a copy in the file's place; the process that had it open is killed."""
    file = loop.ledger_file
    pid = loop.pid_of("ledger")
    assert loop.send("ledger", signal.SIGSTOP)
    for suffix in ("-wal", "-shm"):
        await asyncio.to_thread(file.with_name(file.name + suffix).unlink, missing_ok=True)
    owner = file.stat()
    await asyncio.to_thread(shutil.copyfile, copy, file.with_suffix(".new"))
    shutil.chown(file.with_suffix(".new"), owner.st_uid, owner.st_gid)
    file.with_suffix(".new").rename(file)
    assert loop.send("ledger", signal.SIGKILL)
    await until(lambda: is_another(loop, pid))


async def is_another(loop: Loop, pid: int | None) -> bool:
    """Tell whether the ledger was started again."""
    return loop.pid_of("ledger") not in {pid, None}


async def says(loop: Loop, name: str, words: str) -> bool:
    """Tell whether `gx status` shows these words beside a process that is not ready."""
    output = await type_line(loop, "gx status")
    return any(line.startswith(name) and words in line for line in output.splitlines())


async def settled(story: Story, command_id: str) -> bool:
    """Tell whether a command has its result."""
    return bool(await results_of(story, [command_id]))
