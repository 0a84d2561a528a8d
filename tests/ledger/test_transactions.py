"""What a contract meets on the embedded ledger: Fabric's rules, the awkward ones included."""

import asyncio
from pathlib import Path

import pytest

from gx.ledger.errors import EndorseError, EvaluateError
from gx.ledger.local.verify import verify_ledger
from gx.ledger.ports import ValidationCode
from tests.ledger.calls import a_call, all_blocks, as_list, put, submitted, values_of
from tests.ledger.process import LedgerProcess

VALID = ValidationCode.VALID
MVCC = ValidationCode.MVCC_READ_CONFLICT
PHANTOM = ValidationCode.PHANTOM_READ_CONFLICT


async def test_own_writes_are_hidden(ledger_process: LedgerProcess) -> None:
    """A transaction reads the state as it stood when it began, not what it has written."""
    ledger = ledger_process.client()
    await put(ledger, "k", "old")

    assert await ledger.evaluate(a_call("own_write", "k", "new")) == '"old"'


async def test_the_last_event_set_is_the_transactions_event(ledger_process: LedgerProcess) -> None:
    """There is one event a transaction."""
    ledger = ledger_process.client()
    envelope = await ledger.prepare(a_call("two_events"))
    await ledger.submit(envelope)

    verdict = await ledger.verdict(envelope.transaction_id)

    assert verdict is not None
    assert verdict.event is not None
    assert verdict.event.name == "Second"


async def test_a_deleted_key_is_gone(ledger_process: LedgerProcess) -> None:
    """Deleting is a write like any other, and the key may be made anew."""
    ledger = ledger_process.client()
    await put(ledger, "k", "1", "other", "x")

    await put(ledger, "k", "")
    assert await values_of(ledger, "k", "other") == [None, "x"]
    await put(ledger, "k", "2")
    assert await values_of(ledger, "k") == ["2"]


@pytest.mark.parametrize(
    ("meanwhile", "verdict"),
    [
        (("b", "changed"), PHANTOM),
        (("bb", "new"), PHANTOM),
        (("b", ""), PHANTOM),
        (("z", "outside"), VALID),
    ],
)
async def test_a_scanned_range_is_compared_at_commit(
    ledger_process: LedgerProcess, meanwhile: tuple[str, str], verdict: ValidationCode
) -> None:
    """A key that changed, came or went within the range invalidates; outside it does not."""
    ledger = ledger_process.client()
    await put(ledger, "a", "1", "b", "2", "c", "3")
    counting = await ledger.prepare(a_call("count", "a", "d", "total"))

    await put(ledger, *meanwhile)

    assert await submitted(ledger, counting) is verdict


async def test_a_blind_write_never_conflicts(ledger_process: LedgerProcess) -> None:
    """What was not read cannot be stale: the later of two blind writes stands."""
    ledger = ledger_process.client()
    first = await ledger.prepare(a_call("put", "k", "1"))
    second = await ledger.prepare(a_call("put", "k", "2"))

    assert await submitted(ledger, second) is VALID
    assert await submitted(ledger, first) is VALID
    assert await values_of(ledger, "k") == ["1"]


async def test_a_key_that_was_absent_must_be_absent_still(ledger_process: LedgerProcess) -> None:
    """Reading that a key does not exist is a read too."""
    ledger = ledger_process.client()
    copying = await ledger.prepare(a_call("copy", "missing", "target"))

    await put(ledger, "missing", "now there")

    assert await submitted(ledger, copying) is MVCC


async def test_history_begins_at_the_newest_creation(ledger_process: LedgerProcess) -> None:
    """A deleted key has no history; made anew, it begins again."""
    ledger = ledger_process.client()
    await put(ledger, "k", "1")
    await put(ledger, "k", "")
    assert as_list(await ledger.evaluate(a_call("history", "k"))) == []

    again = await put(ledger, "k", "2")

    assert as_list(await ledger.evaluate(a_call("history", "k"))) == [[again.transaction_id, "2"]]


async def test_history_tells_every_value_since_the_creation(ledger_process: LedgerProcess) -> None:
    """Newest first, valid transactions only; read and blind writes are linked alike."""
    ledger = ledger_process.client()
    ids = [(await put(ledger, "k", "1")).transaction_id]
    stale = await ledger.prepare(a_call("add", "k", "50"))
    for function, amount in (("add", "1"), ("put", "7"), ("put", "8"), ("add", "1")):
        envelope = await ledger.prepare(a_call(function, "k", amount))
        assert await submitted(ledger, envelope) is VALID
        ids.append(envelope.transaction_id)
    assert await submitted(ledger, stale) is MVCC

    history = as_list(await ledger.evaluate(a_call("history", "k")))

    values = ["1", "2", "7", "8", "9"]
    pairs = zip(reversed(ids), reversed(values), strict=True)
    assert history == [[transaction_id, value] for transaction_id, value in pairs]


async def test_a_simulation_sees_one_moment(ledger_process: LedgerProcess) -> None:
    """However long it runs and whatever commits meanwhile, it reads one snapshot."""
    ledger = ledger_process.client()
    await put(ledger, "k", "0")
    slow = asyncio.create_task(ledger.evaluate(a_call("slow", "k", "0.6")))
    await asyncio.sleep(0.1)
    for number in range(1, 40):
        await put(ledger, "k", str(number), f"filler-{number}", "x")

    assert as_list(await slow) == ["0"]
    assert await values_of(ledger, "k") == ["39"]


async def test_retries_cannot_grow_the_chain(ledger_process: LedgerProcess) -> None:
    """The chain holds at most one copy of a transaction, however often it is submitted."""
    ledger = ledger_process.client()
    envelope = await put(ledger, "k", "1")

    for _ in range(20):
        await ledger.submit(envelope)

    codes = [block.transactions[0].validation_code for block in await all_blocks(ledger)]
    assert codes == [VALID, ValidationCode.DUPLICATE_TXID]


async def test_a_crashed_contract_is_a_permanent_failure_without_its_text(
    ledger_process: LedgerProcess,
) -> None:
    """Clients learn that there is a defect; the log has the rest."""
    ledger = ledger_process.client()

    with pytest.raises(EndorseError) as endorsing:
        await ledger.prepare(a_call("crash"))
    with pytest.raises(EvaluateError) as evaluating:
        await ledger.evaluate(a_call("crash"))

    for caught in (endorsing.value, evaluating.value):
        assert caught.code == "CONTRACT_CRASHED"
        assert not caught.is_transient
        assert "secret" not in str(caught)
    await ledger_process.terminate()
    assert any("secret detail" in line for line in ledger_process.output)


async def test_a_slow_contract_is_ended(ledger_process: LedgerProcess) -> None:
    """A function that outlives its caller's deadline is stopped at its next read."""
    ledger = ledger_process.client()

    with pytest.raises(EvaluateError) as caught:
        await ledger.evaluate(a_call("slow", "k", "30"), deadline_s=0.3)

    assert caught.value.code in {"DEADLINE_EXCEEDED", "SIMULATION_TIMEOUT"}
    assert caught.value.is_transient
    assert await ledger_process.terminate() == 0


async def test_time_never_runs_backwards(tmp_path: Path) -> None:
    """A clock that was put back an hour does not make a transaction older than the last block."""
    process = LedgerProcess(tmp_path, clock_shift_ms=3_600_000)
    await process.start()
    try:
        await put(process.client(), "k", "1")
        before = (await all_blocks(process.client()))[-1].timestamp_ms
        await process.kill()
        earlier = LedgerProcess(tmp_path)
        await earlier.start()
        try:
            await put(earlier.client(), "k", "2")
            blocks = await all_blocks(earlier.client())
        finally:
            await earlier.close()
    finally:
        await process.close()

    assert [block.timestamp_ms for block in blocks] == [before, before]


async def test_the_contract_is_told_the_transactions_own_facts(
    ledger_process: LedgerProcess,
) -> None:
    """Id, time and role are those of the transaction that a block will hold."""
    ledger = ledger_process.client()
    envelope = await ledger.prepare(a_call("whoami"))
    await ledger.submit(envelope)

    (block,) = await all_blocks(ledger)

    transaction_id, timestamp_s, role = as_list(envelope.result)
    assert transaction_id == envelope.transaction_id
    assert timestamp_s == block.timestamp_ms // 1000
    assert role == "gx_admin"


async def test_state_survives_flushes_and_crashes(ledger_process: LedgerProcess) -> None:
    """After hundreds of writes, several flushes and a kill, every key has its last value."""
    ledger = ledger_process.client()
    expected: dict[str, str] = {}
    for number in range(120):
        key = f"key-{number * 7 % 50:02d}"
        expected[key] = str(number)
        await put(ledger, key, str(number))
        if number == 60:
            await ledger_process.kill()
            await ledger_process.start()

    keys = sorted(expected)
    assert await values_of(ledger, *keys) == [expected[key] for key in keys]
    scanned = as_list(await ledger.evaluate(a_call("scan", "key-", "key-~")))
    assert scanned == [[key, expected[key]] for key in keys]
    assert verify_ledger(ledger_process.folder).difference is None
