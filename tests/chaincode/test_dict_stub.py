"""The fake ledger: it must be as awkward as the real one, or it proves nothing."""

from tests.chaincode.dict_stub import DictLedger


def test_a_transaction_does_not_see_its_own_writes() -> None:
    """A read answers what was committed before, whatever was written since."""
    ledger = DictLedger()
    stub = ledger.begin()

    stub.put_states({"a": "1"})

    assert stub.get_state("a") is None
    assert list(stub.get_range("", "z")) == []


def test_the_last_event_set_replaces_the_others() -> None:
    """One transaction carries one event."""
    ledger = DictLedger()
    stub = ledger.begin()

    stub.set_event("First", "{}")
    stub.set_event("Second", "{}")
    stub.commit()

    assert ledger.events == [("Second", "{}")]


def test_a_read_that_is_no_longer_true_invalidates() -> None:
    """Of two transactions that read and write one key, only the first to commit is valid."""
    ledger = DictLedger()
    first, second = ledger.begin(), ledger.begin()
    for stub in (first, second):
        stub.get_state("a")
        stub.put_states({"a": stub.transaction_id})

    assert first.commit()
    assert not second.commit()
    assert ledger.values() == {"a": first.transaction_id}


def test_a_key_that_appears_in_a_range_invalidates() -> None:
    """A range is compared as a whole: a phantom counts as a change."""
    ledger = DictLedger()
    reader, writer = ledger.begin(), ledger.begin()
    list(reader.get_range("a", "b"))
    writer.put_states({"apple": "1"})

    assert writer.commit()
    assert not reader.commit()
