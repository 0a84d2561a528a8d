"""What a transaction signs and a block hashes: everything, byte by byte."""

from dataclasses import replace

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gx.domain.roles import LedgerRole
from gx.ledger.errors import CorruptBlockError, NewerBlockError
from gx.ledger.local import client
from gx.ledger.local.blocks import (
    NO_HASH,
    StoredBlock,
    encode_metadata,
    find_defect,
    recompute_hash,
    show_block,
)
from gx.ledger.local.content import (
    ABSENT,
    CONTENT_FORMAT,
    BadEnvelopeError,
    Content,
    NewerFormatError,
    RangeRead,
    decode_content,
    encode_content,
    encode_raw,
    seal,
    transaction_id_of,
    unseal,
)
from gx.ledger.ports import ValidationCode, Write

KEY = bytes(range(32))
NONCE = b"n" * 24


def a_content(**changes: object) -> Content:
    """Make a transaction that reads two keys, writes one of them, one blindly, deletes one."""
    fields: dict[str, object] = {
        "format": CONTENT_FORMAT,
        "transaction_id": transaction_id_of(NONCE, LedgerRole.ADMIN),
        "role": LedgerRole.ADMIN.value,
        "nonce": NONCE,
        "timestamp_ms": 1_000,
        "snapshot": 6,
        "function": "Test:add",
        "arguments": encode_raw(("a", "1")),
        "event": encode_raw(("Added", "{}")),
        "read_keys": ["a", "b"],
        "read_versions": [3, ABSENT],
        "ranges": [RangeRead("a", "c", b"d" * 32)],
        "write_keys": [0, "blind", 1],
        "write_values": ["1", "2", None],
    }
    return Content(**{**fields, **changes})  # type: ignore[arg-type]  # a builder's fields


def a_block(code: ValidationCode = ValidationCode.VALID) -> StoredBlock:
    """Make block 7 with its right hash."""
    block = StoredBlock(7, b"p" * 32, b"", encode_metadata(code, [2]), encode_content(a_content()))
    return replace(block, hash=recompute_hash(block))


def test_a_transaction_reads_back_as_written() -> None:
    """Encoding and decoding are inverse, and one transaction has one byte string."""
    data = encode_content(a_content())

    content = decode_content(data)

    assert encode_content(content) == data
    assert content.writes() == {"a": "1", "blind": "2", "b": None}
    assert content.blind_writes() == ["blind"]
    assert msgspec.msgpack.decode(content.arguments) == ["a", "1"]


@given(at=st.integers(min_value=0), bit=st.integers(0, 7))
def test_no_bit_of_an_envelope_can_be_changed(at: int, bit: int) -> None:
    """Wherever it is, the ledger notices before it records anything."""
    envelope = bytearray(seal(encode_content(a_content()), KEY))
    envelope[at % len(envelope)] ^= 1 << bit

    with pytest.raises(BadEnvelopeError):
        unseal(bytes(envelope), KEY)


def test_another_ledgers_envelope_is_refused() -> None:
    """A wiped and recreated ledger does not take what the old one signed."""
    envelope = seal(encode_content(a_content()), KEY)

    unseal(envelope, KEY)
    with pytest.raises(BadEnvelopeError):
        unseal(envelope, bytes(32))


@pytest.mark.parametrize("data", [b"", b"\xc0", b"\x91\x01", encode_content(a_content(format=9))])
def test_what_is_no_transaction_is_refused(data: bytes) -> None:
    """Unknown formats are refused by name, not misread."""
    with pytest.raises(BadEnvelopeError):
        decode_content(data)


NEWER = [
    pytest.param(encode_content(a_content(format=CONTENT_FORMAT + 1)), id="same fields"),
    pytest.param(msgspec.msgpack.encode([CONTENT_FORMAT + 1, {"other": "fields"}]), id="other"),
]


@pytest.mark.parametrize("content", NEWER)
def test_a_block_of_a_newer_release_is_not_called_corrupt(content: bytes) -> None:
    """Its reader waits for an upgrade, which is another task than mending a ledger."""
    block = StoredBlock(7, b"p" * 32, b"", encode_metadata(ValidationCode.VALID, []), content)

    with pytest.raises(NewerFormatError, match="has version 2, this release reads version 1"):
        decode_content(content)
    with pytest.raises(NewerBlockError, match=r"block 7 cannot be read.*upgrade this process"):
        client._show(replace(block, hash=recompute_hash(block)))


def test_a_damaged_block_is_not_called_newer() -> None:
    """Else somebody would wait for a release that cannot read it either."""
    damaged = StoredBlock(7, b"p" * 32, b"", encode_metadata(ValidationCode.VALID, []), b"\x91\x01")

    with pytest.raises(CorruptBlockError):
        client._show(damaged)


def test_an_id_belongs_to_its_creator() -> None:
    """The same nonce under another role is another transaction."""
    ids = {transaction_id_of(NONCE, role) for role in LedgerRole}

    assert len(ids) == len(LedgerRole)
    assert all(len(transaction_id) == 64 for transaction_id in ids)


@pytest.mark.parametrize(
    "changed",
    [
        replace(a_block(), content=a_block().content[:-1] + b"?"),
        replace(a_block(), metadata=encode_metadata(ValidationCode.BAD_PAYLOAD, [2])),
        replace(a_block(), metadata=encode_metadata(ValidationCode.VALID, [3])),
        replace(a_block(), previous_hash=b"q" * 32),
        replace(a_block(), hash=b"h" * 32),
    ],
    ids=["content", "verdict", "previous versions", "link", "hash"],
)
def test_a_blocks_hash_covers_all_of_it(changed: StoredBlock) -> None:
    """Content, verdict, the links of history and the link to the block before."""
    assert find_defect(a_block(), number=7, previous_hash=b"p" * 32) is None

    defect = find_defect(changed, number=7, previous_hash=None)

    assert defect is not None
    assert defect.stored != defect.recomputed


def test_a_block_in_the_wrong_place_is_a_defect() -> None:
    """Neither another number nor another predecessor passes."""
    assert find_defect(a_block(), number=8, previous_hash=None) is not None
    assert find_defect(a_block(), number=7, previous_hash=NO_HASH) is not None


def test_an_invalid_transaction_shows_neither_writes_nor_event() -> None:
    """It stays in its block for the auditor; readers see that it did nothing."""
    (valid,) = show_block(a_block()).transactions
    (invalid,) = show_block(a_block(ValidationCode.MVCC_READ_CONFLICT)).transactions

    assert valid.writes == (
        Write(key="a", value="1"),
        Write(key="blind", value="2"),
        Write(key="b", value=None),
    )
    assert valid.event is not None
    assert (invalid.writes, invalid.event) == ((), None)
    assert invalid.transaction_id == valid.transaction_id
