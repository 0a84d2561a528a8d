"""Small contract functions for the ledger's own tests: they read, write and fail on demand."""

import json
import time
from collections.abc import Callable, Sequence
from typing import Final

from gx.chaincode.executor import Executed, ExecutionResult, Refused
from gx.chaincode.stub import Stub
from gx.contracts.chaincode import build_executor
from gx.domain.refusals import RefusalCode
from gx.ledger.local.simulation import Execute

Function = Callable[[Stub, Sequence[str]], str]


class Refusal(Exception):  # noqa: N818 (a contract's no, not an error of the test)
    """What a test function raises to refuse."""


def put(stub: Stub, args: Sequence[str]) -> str:
    """Write key value … without reading; an empty value deletes. Emits `Put`."""
    writes = {key: value or None for key, value in zip(args[::2], args[1::2], strict=True)}
    stub.put_states(writes)
    stub.set_event("Put", json.dumps(sorted(writes)))
    return json.dumps(len(writes))


def get(stub: Stub, args: Sequence[str]) -> str:
    """Return the values of keys."""
    return json.dumps(list(stub.get_states(args)))


def add(stub: Stub, args: Sequence[str]) -> str:
    """Add amounts to counters: key amount …, reading each key first. Emits `Added`."""
    keys = list(args[::2])
    held = stub.get_states(keys)
    sums = {
        key: int(before or "0") + int(amount)
        for key, before, amount in zip(keys, held, args[1::2], strict=True)
    }
    stub.put_states({key: str(total) for key, total in sums.items()})
    stub.set_event("Added", json.dumps(sums))
    return json.dumps(sums)


def copy(stub: Stub, args: Sequence[str]) -> str:
    """Write to the second key what the first one holds."""
    value = stub.get_state(args[0])
    stub.put_states({args[1]: value})
    return json.dumps(value)


def count(stub: Stub, args: Sequence[str]) -> str:
    """Write under the third key how many keys there are between the first two."""
    found = [key for key, _ in stub.get_range(args[0], args[1])]
    stub.put_states({args[2]: str(len(found))})
    return json.dumps(found)


def scan(stub: Stub, args: Sequence[str]) -> str:
    """Return keys and values between two keys."""
    return json.dumps(list(stub.get_range(args[0], args[1])))


def history(stub: Stub, args: Sequence[str]) -> str:
    """Return what was done to a key, newest first."""
    return json.dumps([[item.transaction_id, item.value] for item in stub.get_history(args[0])])


def own_write(stub: Stub, args: Sequence[str]) -> str:
    """Write a key, then return what reading it gives."""
    stub.put_states({args[0]: args[1]})
    return json.dumps(stub.get_state(args[0]))


def two_events(stub: Stub, _args: Sequence[str]) -> str:
    """Set two events."""
    stub.set_event("First", "{}")
    stub.set_event("Second", "{}")
    return "{}"


def whoami(stub: Stub, _args: Sequence[str]) -> str:
    """Return id, time and role as the contract sees them."""
    return json.dumps([stub.transaction_id, stub.timestamp_s, stub.caller.role])


def refuse(stub: Stub, _args: Sequence[str]) -> str:
    """Refuse, after reading."""
    stub.get_state("anything")
    raise Refusal("no, thank you")


def crash(_stub: Stub, _args: Sequence[str]) -> str:
    """Fail as a defect would."""
    raise RuntimeError("secret detail")


def slow(stub: Stub, args: Sequence[str]) -> str:
    """Read the key again and again for so many seconds."""
    until = time.monotonic() + float(args[1])
    values = {stub.get_state(args[0])}
    while time.monotonic() < until:
        values.add(stub.get_state(args[0]))
        time.sleep(0.005)
    return json.dumps(sorted(value or "" for value in values))


def large(stub: Stub, args: Sequence[str]) -> str:
    """Set an event of so many characters."""
    stub.set_event("Large", "x" * int(args[0]))
    return "{}"


FUNCTIONS: Final[dict[str, Function]] = {
    f"Test:{function.__name__}": function
    for function in (
        put, get, add, copy, count, scan, history, own_write, two_events, whoami, refuse, crash,
        slow, large,
    )
}  # fmt: skip


def make_execute() -> Execute:
    """Build the `execute` that a ledger is given: the test functions and the real contracts."""
    contracts = build_executor()

    def execute(stub: Stub, function: str, args: Sequence[str]) -> ExecutionResult:
        known = FUNCTIONS.get(function)
        if known is None:
            return contracts.execute(stub, function, args)
        try:
            return Executed(payload=known(stub, args))
        except Refusal as refusal:
            return Refused(code=RefusalCode.INSUFFICIENT_FUNDS, detail=str(refusal))

    return execute
