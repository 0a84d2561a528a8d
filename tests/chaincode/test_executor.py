"""One command called directly, past any batch."""

import pytest

from gx.chaincode.executor import Executed, Refused
from gx.chaincode.idempotency import CommandRecord
from gx.domain.batches import OutcomeKind, parse_events
from gx.domain.codec import decode_object
from gx.domain.refusals import RefusalCode
from gx.domain.roles import LedgerRole
from tests.chaincode.dict_stub import START_S, DictLedger
from tests.chaincode.toy_contract import an_executor


def test_the_principal_event_carries_the_further_ones() -> None:
    """A transaction's one event is named after the first and holds the others in order."""
    ledger = DictLedger()
    stub = ledger.begin(LedgerRole.ADMIN, "x509::grace")

    result = an_executor().execute(stub, "Toy:Count", ["apples", "3"])

    assert result == Executed(payload='{"count":3}')
    assert stub.event is not None
    name, payload = stub.event
    assert name == "Counted"
    first, second = parse_events(name, payload)
    assert (first["name"], first["timestamp"]) == ("apples", START_S)
    assert second["name"] == "x509::grace", "the signer is the actor"
    assert decode_object(payload)["events"] == [second]


def test_a_direct_call_leaves_the_record_that_a_batch_would() -> None:
    """The transaction's id stands for command id and key."""
    ledger = DictLedger()
    stub = ledger.begin(LedgerRole.ADMIN)
    an_executor().execute(stub, "Toy:Count", ["apples", "3"])

    record = CommandRecord.from_text(stub.writes[f"cmd_{stub.transaction_id}"] or "")

    assert record.outcome is OutcomeKind.COMMITTED
    assert record.transaction_id == stub.transaction_id
    assert record.result == {"count": 3}


def test_a_refused_direct_call_gives_the_peer_nothing_to_endorse() -> None:
    """No write, no event, no record: the refusal is the whole answer."""
    ledger = DictLedger()
    stub = ledger.begin(LedgerRole.ADMIN)
    executor = an_executor()
    executor.execute(stub, "Toy:Count", ["apples", "100"])
    stub.commit()
    again = ledger.begin(LedgerRole.ADMIN)

    result = executor.execute(again, "Toy:Count", ["apples", "1"])

    assert result == Refused(code=RefusalCode.AMOUNT_OVERFLOW, detail="apples would be 101")
    assert (again.writes, again.event) == ({}, None)


def test_a_defect_is_no_refusal() -> None:
    """An unexpected exception reaches the host, which fails the transaction whole."""
    stub = DictLedger().begin(LedgerRole.ADMIN)

    with pytest.raises(ZeroDivisionError):
        an_executor().execute(stub, "Toy:Crash", ["apples", "1"])

    assert (stub.writes, stub.event) == ({}, None)
