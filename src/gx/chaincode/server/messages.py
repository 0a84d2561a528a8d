"""Fabric's chaincode messages: requests to a peer written, its answers read.

A peer stores bytes and knows no absent value: empty means that there is none. This chaincode
stores text that is never empty.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias, TypeVar

from fabric_protos.ledger.queryresult.kv_query_result_pb2 import KV, KeyModification
from fabric_protos.peer.chaincode_pb2 import ChaincodeAdditionalParams, ChaincodeID
from fabric_protos.peer.chaincode_shim_pb2 import (
    ChaincodeMessage,
    DelState,
    GetHistoryForKey,
    GetState,
    GetStateByRange,
    GetStateMultiple,
    GetStateMultipleResult,
    PutState,
    QueryResponse,
    QueryStateNext,
    WriteBatchState,
    WriteRecord,
)
from google.protobuf.message import DecodeError, Message

from gx.chaincode.server.errors import PeerAnswerError, ProtocolError
from gx.chaincode.stub import Modification
from gx.domain.identifiers import EpochSeconds, TransactionId

M = TypeVar("M", bound=Message)
Kind: TypeAlias = ChaincodeMessage.Type

# A record in a message costs its key and value, and some tags and lengths.
_RECORD_OVERHEAD_BYTES: Final = 24
_CHARACTER_BYTES_MAX: Final = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """Something that a transaction asks its peer for."""

    kind: Kind
    payload: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Offers:
    """What a peer does in one message where others need many; 0 means that it does not."""

    reads_max: int = 0
    writes_max: int = 0


def registration(package_id: str) -> ChaincodeMessage:
    """Say which package this server runs."""
    payload = ChaincodeID(name=package_id).SerializeToString()
    return ChaincodeMessage(type=ChaincodeMessage.REGISTER, payload=payload)


def read_offers(payload: bytes) -> Offers:
    """Read what the peer's READY offers; peers before 3.1 say nothing.

    Raises:
        ProtocolError: it is no such message.
    """
    try:
        offered = ChaincodeAdditionalParams.FromString(payload)
    except DecodeError as error:
        raise ProtocolError("the peer's READY cannot be read") from error
    return Offers(
        reads_max=offered.max_size_get_multiple_keys if offered.use_get_multiple_keys else 0,
        writes_max=offered.max_size_write_batch if offered.use_write_batch else 0,
    )


def get_state(key: str) -> Request:
    """Ask for one value."""
    return Request(kind=ChaincodeMessage.GET_STATE, payload=GetState(key=key).SerializeToString())


def get_states(keys: Sequence[str]) -> Request:
    """Ask for several values."""
    payload = GetStateMultiple(keys=keys).SerializeToString()
    return Request(kind=ChaincodeMessage.GET_STATE_MULTIPLE, payload=payload)


def get_range(start: str, end: str) -> Request:
    """Ask for the keys from `start` up to, not including, `end`."""
    payload = GetStateByRange(startKey=start, endKey=end).SerializeToString()
    return Request(kind=ChaincodeMessage.GET_STATE_BY_RANGE, payload=payload)


def get_history(key: str) -> Request:
    """Ask what transactions did to a key."""
    payload = GetHistoryForKey(key=key).SerializeToString()
    return Request(kind=ChaincodeMessage.GET_HISTORY_FOR_KEY, payload=payload)


def next_page(query_id: str) -> Request:
    """Ask for what comes after a page of a range or a history."""
    payload = QueryStateNext(id=query_id).SerializeToString()
    return Request(kind=ChaincodeMessage.QUERY_STATE_NEXT, payload=payload)


def writes(
    values: Mapping[str, str | None], *, offers: Offers, bytes_max: int
) -> Iterator[Request]:
    """Turn writes into requests, in their order: one if the peer takes them so."""
    if not offers.writes_max:
        yield from (_write(key, value) for key, value in values.items())
        return
    records: list[WriteRecord] = []
    size_bytes = 0
    for key, value in values.items():
        content = b"" if value is None else value.encode()
        record_bytes = len(content) + _CHARACTER_BYTES_MAX * len(key) + _RECORD_OVERHEAD_BYTES
        is_full = len(records) >= offers.writes_max or size_bytes + record_bytes > bytes_max
        if records and is_full:
            yield _batch(records)
            records, size_bytes = [], 0
        kind = WriteRecord.DEL_STATE if value is None else WriteRecord.PUT_STATE
        records.append(WriteRecord(key=key, value=content, type=kind))
        size_bytes += record_bytes
    if records:
        yield _batch(records)


def read_value(payload: bytes) -> str | None:
    """Read one value; None without one."""
    return text_of(payload) if payload else None


def read_values(payload: bytes, *, count: int) -> list[str | None]:
    """Read the answer to `get_states` of `count` keys."""
    values = parse(GetStateMultipleResult, payload).values
    if len(values) != count:
        raise PeerAnswerError(f"asked for {count} keys, the peer answered for {len(values)}")
    return [read_value(value) for value in values]


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Part of a range or of a history. `next_id` asks for more; None at the end."""

    items: tuple[bytes, ...]
    next_id: str | None


def read_page(payload: bytes) -> Page:
    """Read a page of a range or of a history."""
    response = parse(QueryResponse, payload)
    return Page(
        items=tuple(result.resultBytes for result in response.results),
        next_id=response.id if response.has_more else None,
    )


def read_entry(item: bytes) -> tuple[str, str]:
    """Read a key and its value out of a range's page."""
    entry = parse(KV, item)
    return entry.key, text_of(entry.value)


def read_modification(item: bytes) -> Modification:
    """Read what one transaction did to a key out of a history's page."""
    change = parse(KeyModification, item)
    return Modification(
        transaction_id=TransactionId(change.tx_id),
        timestamp_s=EpochSeconds(change.timestamp.seconds),
        value=None if change.is_delete else text_of(change.value),
    )


def text_of(value: bytes) -> str:
    """Read what this chaincode stored as text.

    Raises:
        PeerAnswerError: it is no UTF-8.
    """
    try:
        return value.decode()
    except UnicodeDecodeError as error:
        raise PeerAnswerError("the peer answered with a value that is no text") from error


def parse(kind: type[M], payload: bytes) -> M:
    """Read a message out of a peer's answer.

    Raises:
        PeerAnswerError: the answer is something else.
    """
    try:
        return kind.FromString(payload)
    except DecodeError as error:
        raise PeerAnswerError(f"the peer's answer is no {kind.__name__}") from error


def _write(key: str, value: str | None) -> Request:
    if value is None:
        payload = DelState(key=key).SerializeToString()
        return Request(kind=ChaincodeMessage.DEL_STATE, payload=payload)
    payload = PutState(key=key, value=value.encode()).SerializeToString()
    return Request(kind=ChaincodeMessage.PUT_STATE, payload=payload)


def _batch(records: Sequence[WriteRecord]) -> Request:
    payload = WriteBatchState(rec=records).SerializeToString()
    return Request(kind=ChaincodeMessage.WRITE_BATCH_STATE, payload=payload)
