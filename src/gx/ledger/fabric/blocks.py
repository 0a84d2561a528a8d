"""Blocks as Fabric writes them, read into the port's: checked, and without Fabric's wrapping.

A block's hash is the SHA-256 of its header's ASN.1 encoding, the header holds the SHA-256 of the
data. Both are computed here and compared: a peer that serves a damaged block is found out. What
validation made of each transaction stands in the metadata, which no hash covers.
"""

import hashlib
from typing import Final

import structlog
from fabric_protos.common.common_pb2 import (
    Block as FabricBlock,
)
from fabric_protos.common.common_pb2 import (
    BlockHeader,
    BlockMetadataIndex,
    ChannelHeader,
    Envelope,
    HeaderType,
    Payload,
)
from fabric_protos.ledger.rwset.kvrwset.kv_rwset_pb2 import KVRWSet
from fabric_protos.ledger.rwset.rwset_pb2 import TxReadWriteSet
from fabric_protos.peer.chaincode_event_pb2 import ChaincodeEvent as FabricEvent
from fabric_protos.peer.proposal_pb2 import ChaincodeAction
from fabric_protos.peer.transaction_pb2 import TxValidationCode
from google.protobuf.message import DecodeError

from gx.domain.identifiers import BlockNumber, EpochMs, TransactionId
from gx.ledger.errors import CorruptBlockError
from gx.ledger.fabric.transactions import action_of, timestamp_ms
from gx.ledger.ports import Block, ChaincodeEvent, LedgerTransaction, ValidationCode, Write

_log: Final = structlog.get_logger(__name__)

_KNOWN_CODES: Final = {code.value: code for code in ValidationCode}


def read_block(block: FabricBlock, *, chaincode: str) -> Block:
    """Read a block; events and writes of other chaincodes are left out.

    Raises:
        CorruptBlockError: its data is not what its header says, or cannot be read.
    """
    header = block.header
    number = BlockNumber(header.number)
    if hashlib.sha256(b"".join(block.data.data)).digest() != header.data_hash:
        raise CorruptBlockError(number, "its data does not have the hash that its header names")
    metadata = block.metadata.metadata
    at = BlockMetadataIndex.TRANSACTIONS_FILTER
    verdicts = metadata[at] if len(metadata) > at else b""
    try:
        transactions = tuple(
            _read_transaction(data, _code(verdicts, position, number), chaincode)
            for position, data in enumerate(block.data.data)
        )
    except (DecodeError, IndexError, UnicodeError) as error:
        raise CorruptBlockError(number, f"a transaction in it cannot be read: {error}") from error
    return Block(
        number=number,
        hash=hash_header(header).hex(),
        previous_hash=header.previous_hash.hex(),
        timestamp_ms=max((entry.timestamp_ms for entry in transactions), default=EpochMs(0)),
        transactions=transactions,
    )


def newest_timestamp_ms(block: FabricBlock) -> EpochMs:
    """Return the time of a block's newest transaction.

    Raises:
        CorruptBlockError: a transaction in it cannot be read.
    """
    try:
        return max(
            (timestamp_ms(_open(data)[1].timestamp) for data in block.data.data),
            default=EpochMs(0),
        )
    except DecodeError as error:
        number = BlockNumber(block.header.number)
        raise CorruptBlockError(number, f"a transaction in it cannot be read: {error}") from error


def hash_header(header: BlockHeader) -> bytes:
    """Compute a block's hash: SHA-256 over SEQUENCE { INTEGER, OCTET STRING, OCTET STRING }."""
    number = header.number
    # One byte more than the number fills, where its highest bit would be taken for a sign.
    integer = number.to_bytes(number.bit_length() // 8 + 1, "big")
    parts = (
        _der(0x02, integer)
        + _der(0x04, header.previous_hash)
        + _der(0x04, header.data_hash)
    )  # fmt: skip
    return hashlib.sha256(_der(0x30, parts)).digest()


def _der(tag: int, content: bytes) -> bytes:
    """Write one ASN.1 element; a header's are all shorter than 128 bytes."""
    return bytes((tag, len(content))) + content


def _code(verdicts: bytes, position: int, number: BlockNumber) -> ValidationCode:
    if position >= len(verdicts):
        # Only the first block of a channel is not validated by a peer.
        return ValidationCode.VALID if number == 0 else ValidationCode.INVALID_OTHER_REASON
    name = TxValidationCode.Name(verdicts[position])
    code = _KNOWN_CODES.get(name)
    if code is None:
        _log.warning("validation_code_generalised", block=number, position=position, code=name)
        return ValidationCode.INVALID_OTHER_REASON
    return code


def _open(data: bytes) -> tuple[Payload, ChannelHeader]:
    payload = Payload.FromString(Envelope.FromString(data).payload)
    return payload, ChannelHeader.FromString(payload.header.channel_header)


def _read_transaction(data: bytes, code: ValidationCode, chaincode: str) -> LedgerTransaction:
    payload, header = _open(data)
    event: ChaincodeEvent | None = None
    writes: tuple[Write, ...] = ()
    if code is ValidationCode.VALID and header.type == HeaderType.ENDORSER_TRANSACTION:
        action = action_of(payload)
        event, writes = _event_of(action, chaincode), _writes_of(action, chaincode)
    return LedgerTransaction(
        transaction_id=TransactionId(header.tx_id),
        validation_code=code,
        timestamp_ms=timestamp_ms(header.timestamp),
        event=event,
        writes=writes,
    )


def _event_of(action: ChaincodeAction, chaincode: str) -> ChaincodeEvent | None:
    if not action.events:
        return None
    event = FabricEvent.FromString(action.events)
    if event.chaincode_id != chaincode or not event.event_name:
        return None
    return ChaincodeEvent(name=event.event_name, payload=event.payload.decode("utf-8", "replace"))


def _writes_of(action: ChaincodeAction, chaincode: str) -> tuple[Write, ...]:
    return tuple(
        Write(
            key=write.key,
            # Our contracts write text alone; another chaincode's bytes must not stop a reader.
            value=None if write.is_delete else write.value.decode("utf-8", "replace"),
        )
        for entry in TxReadWriteSet.FromString(action.results).ns_rwset
        if entry.namespace == chaincode
        for write in KVRWSet.FromString(entry.rwset).writes
    )
