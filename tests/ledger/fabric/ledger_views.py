"""A stand-in channel's ledger as a peer's double reads it: bytes, and histories newest first."""

from collections.abc import Iterator, MutableMapping
from typing import NoReturn

from fabric_protos.ledger.queryresult.kv_query_result_pb2 import KeyModification
from google.protobuf.timestamp_pb2 import Timestamp
from typing_extensions import override

from gx.chaincode.stub import Modification
from tests.chaincode.dict_stub import DictLedger


def _refuse(_view: object, key: str, *_value: object) -> NoReturn:
    raise TypeError(f"only a block changes {key}")


class StateView(MutableMapping[str, bytes]):
    """The world state. Blocks change it, nobody else."""

    def __init__(self, ledger: DictLedger) -> None:
        self._ledger = ledger

    __setitem__ = _refuse
    __delitem__ = _refuse

    @override
    def __getitem__(self, key: str) -> bytes:
        return self._ledger.state[key].value.encode()

    @override
    def __iter__(self) -> Iterator[str]:
        return iter(self._ledger.state)

    @override
    def __len__(self) -> int:
        return len(self._ledger.state)


class HistoryView(MutableMapping[str, list[KeyModification]]):
    """What was done to each key. Blocks change it, nobody else."""

    def __init__(self, ledger: DictLedger) -> None:
        self._ledger = ledger

    __setitem__ = _refuse
    __delitem__ = _refuse

    @override
    def __getitem__(self, key: str) -> list[KeyModification]:
        return [_to_message(change) for change in reversed(self._ledger.history[key])]

    @override
    def __iter__(self) -> Iterator[str]:
        return iter(self._ledger.history)

    @override
    def __len__(self) -> int:
        return len(self._ledger.history)


def _to_message(change: Modification) -> KeyModification:
    return KeyModification(
        tx_id=change.transaction_id,
        value=(change.value or "").encode(),
        timestamp=Timestamp(seconds=change.timestamp_s),
        is_delete=change.value is None,
    )
