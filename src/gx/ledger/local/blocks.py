"""Blocks: their hash chain, and what a reader is shown of them.

    content digest  sha256(content)                       what the preparer signed (`content`)
    data hash       sha256(content digest + metadata)     metadata: what validation decided
    block hash      sha256(number + previous hash + data hash)

`number` is eight bytes, big-endian; the hash before block 0 is 32 zero bytes. So the chain covers
the verdicts too, which Fabric leaves outside. A block holds one transaction. An invalid one stays
in its block whole, for the auditor, but shows neither writes nor event.
"""

import hashlib
from dataclasses import dataclass
from typing import Final

import msgspec
from typing_extensions import override

from gx.domain.identifiers import BlockNumber, EpochMs, TransactionId
from gx.ledger.local.content import BadEnvelopeError, Content, decode_content
from gx.ledger.ports import Block, LedgerTransaction, ValidationCode, Write

NO_HASH: Final = bytes(32)


class Metadata(msgspec.Struct, frozen=True, array_like=True):
    """What validation decided, and where the keys that were written unread stood before.

    `previous` has the version before this block of every blind write of a valid transaction, so
    that a key's history can be followed backwards from any of its versions.
    """

    code: str
    previous: list[int]


_METADATA: Final = msgspec.msgpack.Decoder(Metadata)
_ENCODER: Final = msgspec.msgpack.Encoder()


@dataclass(frozen=True, slots=True)
class StoredBlock:
    """A block as its row holds it, unchecked."""

    number: int
    previous_hash: bytes
    hash: bytes
    metadata: bytes
    content: bytes


def encode_metadata(code: ValidationCode, previous: list[int]) -> bytes:
    """Write what validation decided."""
    return _ENCODER.encode(Metadata(code.value, previous))


def decode_metadata(data: bytes) -> Metadata:
    """Read what validation decided.

    Raises:
        BadEnvelopeError: the bytes are something else.
    """
    try:
        return _METADATA.decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise BadEnvelopeError(f"not a block's metadata: {error}") from error


def hash_block(
    number: int, *, previous_hash: bytes, content_digest: bytes, metadata: bytes
) -> bytes:
    """Compute a block's hash from its parts."""
    data_hash = hashlib.sha256(content_digest + metadata).digest()
    return hashlib.sha256(number.to_bytes(8, "big") + previous_hash + data_hash).digest()


def recompute_hash(block: StoredBlock) -> bytes:
    """Compute the hash that the stored parts should have."""
    return hash_block(
        block.number,
        previous_hash=block.previous_hash,
        content_digest=hashlib.sha256(block.content).digest(),
        metadata=block.metadata,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Defect:
    """What is wrong with something stored: what it is, and what it should be."""

    what: str
    stored: str
    recomputed: str

    @override
    def __str__(self) -> str:
        return f"its {self.what} is {self.stored}, and should be {self.recomputed}"


def find_defect(block: StoredBlock, *, number: int, previous_hash: bytes | None) -> Defect | None:
    """Say what is wrong with a stored block, None if nothing is.

    `previous_hash` is the hash of the block before, None where the caller does not know it.
    """
    if block.number != number:
        return Defect(what="number", stored=str(block.number), recomputed=str(number))
    if previous_hash is not None and block.previous_hash != previous_hash:
        return Defect(
            what="previous hash", stored=block.previous_hash.hex(), recomputed=previous_hash.hex()
        )
    computed = recompute_hash(block)
    if block.hash != computed:
        return Defect(what="hash", stored=block.hash.hex(), recomputed=computed.hex())
    return None


def show_block(stored: StoredBlock) -> Block:
    """Decode a checked block for its readers.

    Raises:
        BadEnvelopeError: the block is intact but not readable by this version.
    """
    content = decode_content(stored.content)
    code = read_code(stored.metadata)
    return Block(
        number=BlockNumber(stored.number),
        hash=stored.hash.hex(),
        previous_hash=stored.previous_hash.hex(),
        timestamp_ms=EpochMs(content.timestamp_ms),
        transactions=(_show_transaction(content, code),),
    )


def read_code(metadata: bytes) -> ValidationCode:
    """Read a block's verdict.

    Raises:
        BadEnvelopeError: the bytes hold no known verdict.
    """
    try:
        return ValidationCode(decode_metadata(metadata).code)
    except ValueError as error:
        raise BadEnvelopeError(str(error)) from error


def _show_transaction(content: Content, code: ValidationCode) -> LedgerTransaction:
    is_valid = code is ValidationCode.VALID
    writes = content.writes() if is_valid else {}
    return LedgerTransaction(
        transaction_id=TransactionId(content.transaction_id),
        validation_code=code,
        timestamp_ms=EpochMs(content.timestamp_ms),
        event=content.decode_event() if is_valid else None,
        writes=tuple([Write._make(pair) for pair in writes.items()]),
    )
