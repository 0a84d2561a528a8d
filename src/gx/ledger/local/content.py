"""What a transaction is, signed and as a block stores it: one self-contained byte string.

A content holds all that an auditor needs: who signed (role and nonce, whose hash is the
transaction id), when, which function with which arguments, every key read with the version read,
every range scanned, every key written with its value, and the event. Versions are block numbers,
for a block holds one transaction; `ABSENT` stands for a key that did not exist.

The encoding is MessagePack of a fixed-order array, so one transaction has one byte string. The
fields that a committer does not interpret (arguments, event) are stored as encoded, undecoded.

An envelope is `MAGIC`, an HMAC-SHA256 over the content's SHA-256 and the content itself. The key
lives in the ledger's own file: bytes that another ledger signed, or that changed on the way, are
refused before anything is recorded.
"""

import contextlib
import hashlib
import hmac
from typing import Final

import msgspec

from gx.domain.errors import GxError
from gx.domain.identifiers import TransactionId
from gx.domain.roles import LedgerRole
from gx.domain.versions import NewerVersionError
from gx.ledger.ports import ChaincodeEvent

CONTENT_FORMAT: Final = 1
ABSENT: Final = -1
MAGIC: Final = b"gxl1"
KEY_BYTES: Final = 32
NONCE_BYTES: Final = 24  # as Fabric's
_SIGNATURE_BYTES: Final = 32
_HEADER_BYTES: Final = len(MAGIC) + _SIGNATURE_BYTES


class BadEnvelopeError(GxError):
    """The bytes are no envelope that this ledger signed."""


class NewerFormatError(NewerVersionError, BadEnvelopeError):
    """A newer release made this transaction."""


class RangeRead(msgspec.Struct, frozen=True, array_like=True):
    """A scanned range, `start` up to, not including, `end`, and a hash of what it gave."""

    start: str
    end: str
    digest: bytes


class Content(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One transaction. `write_keys` holds the key, or its index in `read_keys` if it was read."""

    format: int
    transaction_id: str
    role: str
    nonce: bytes
    timestamp_ms: int
    snapshot: int
    """The newest block whose writes the simulation saw; `ABSENT` on an empty ledger."""
    function: str
    arguments: msgspec.Raw
    event: msgspec.Raw
    read_keys: list[str]
    read_versions: list[int]
    ranges: list[RangeRead]
    write_keys: list[int | str]
    write_values: list[str | None]

    def writes(self) -> dict[str, str | None]:
        """Return the write set, in the order in which the contract wrote it."""
        reads = self.read_keys
        keys = [key if isinstance(key, str) else reads[key] for key in self.write_keys]
        return dict(zip(keys, self.write_values, strict=True))

    def blind_writes(self) -> list[str]:
        """List the keys that were written without being read."""
        return [key for key in self.write_keys if isinstance(key, str)]

    def decode_event(self) -> ChaincodeEvent | None:
        """Return the transaction's event, if it set one."""
        pair = _EVENT.decode(self.event)
        return None if pair is None else ChaincodeEvent(name=pair[0], payload=pair[1])


_ENCODER: Final = msgspec.msgpack.Encoder()
_CONTENT: Final = msgspec.msgpack.Decoder(Content)
_PARTS: Final = msgspec.msgpack.Decoder(list[object])
_EVENT: Final = msgspec.msgpack.Decoder(tuple[str, str] | None)


def encode_raw(value: object) -> msgspec.Raw:
    """Encode a part that committers leave alone."""
    return msgspec.Raw(_ENCODER.encode(value))


def encode_content(content: Content) -> bytes:
    """Write the transaction's one byte string."""
    return _ENCODER.encode(content)


def decode_content(data: bytes | memoryview) -> Content:
    """Read a transaction.

    Raises:
        NewerFormatError: only a newer release knows its format.
        BadEnvelopeError: the bytes are not a transaction.
    """
    try:
        content = _CONTENT.decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        _refuse_newer(data)
        raise BadEnvelopeError(f"not a transaction: {error}") from error
    if content.format != CONTENT_FORMAT:
        _refuse_newer(data)
        raise BadEnvelopeError(f"there is no transaction format {content.format}")
    return content


def _refuse_newer(data: bytes | memoryview) -> None:
    """Tell bytes of a later format, whatever follows its number, from damaged ones."""
    with contextlib.suppress(msgspec.MsgspecError, UnicodeDecodeError, IndexError):
        stated = _PARTS.decode(data)[0]
        if isinstance(stated, int) and stated > CONTENT_FORMAT:
            raise NewerFormatError("the transaction's form", stated, newest=CONTENT_FORMAT)


def creator_of(role: LedgerRole | str) -> str:
    """Name the identity that signs for a role on this ledger."""
    return f"{role}@local"


def transaction_id_of(nonce: bytes, role: LedgerRole | str) -> TransactionId:
    """Derive the id from nonce and creator, as Fabric does: nobody else can make the same one."""
    return TransactionId(hashlib.sha256(nonce + creator_of(role).encode()).hexdigest())


def seal(body: bytes, key: bytes) -> bytes:
    """Sign a content: the bytes that may be submitted again and again."""
    return b"".join((MAGIC, _sign(hashlib.sha256(body).digest(), key), body))


def unseal(envelope: bytes, key: bytes) -> tuple[memoryview, bytes]:
    """Check the signature and return the content with its SHA-256.

    Raises:
        BadEnvelopeError: this ledger did not sign these bytes.
    """
    view = memoryview(envelope)
    if len(view) <= _HEADER_BYTES or bytes(view[: len(MAGIC)]) != MAGIC:
        raise BadEnvelopeError("not an envelope of the local ledger")
    body = view[_HEADER_BYTES:]
    digest = hashlib.sha256(body).digest()
    if not hmac.compare_digest(view[len(MAGIC) : _HEADER_BYTES], _sign(digest, key)):
        raise BadEnvelopeError("the signature is not this ledger's: forged, damaged, or another's")
    return body, digest


def _sign(digest: bytes, key: bytes) -> bytes:
    return hmac.digest(key, digest, "sha256")
