"""A transaction's bytes: its id, its signature, and what nobody may change in them."""

import hashlib
from pathlib import Path

import pytest
from fabric_protos.common.common_pb2 import BlockHeader, ChannelHeader, Envelope, Header, Payload
from fabric_protos.peer.proposal_pb2 import Proposal as FabricProposal
from hypothesis import given
from hypothesis import strategies as st

from gx.domain.identifiers import EpochMs
from gx.domain.roles import LedgerRole
from gx.ledger.fabric.blocks import hash_header
from gx.ledger.fabric.identities import Signer, load_signer
from gx.ledger.fabric.profile import IdentityFiles
from gx.ledger.fabric.transactions import (
    BadTransactionError,
    Call,
    open_sealed,
    propose,
    seal,
    timestamp,
    timestamp_ms,
    transaction_id_of,
)
from tests.ledger.fabric.certificates import Authority, write_pair

CALL = Call(channel="gxchannel", chaincode="gxtv3", function="A:B", arguments=("one", "two"))
NOW_MS = EpochMs(1_800_000_000_123)


@pytest.fixture(scope="module")
def signer(tmp_path_factory: pytest.TempPathFactory) -> Signer:
    """Somebody who signs."""
    folder: Path = tmp_path_factory.mktemp("identity")
    pair = Authority("ca").identity("partner", LedgerRole.PARTNER_API)
    certificate, key = write_pair(folder, "partner", pair)
    return load_signer(IdentityFiles(msp_id="Org1MSP", certificate=certificate, key=key))


@pytest.fixture(scope="module")
def content(signer: Signer) -> bytes:
    """Seal a transaction as a gateway would hand it out, as far as its header goes."""
    signed = propose(CALL, signer, timestamp_ms=NOW_MS)
    header = Header.FromString(FabricProposal.FromString(signed.proposal.proposal_bytes).header)
    return seal(Payload(header=header, data=b"endorsed" * 50).SerializeToString(), signer)


def test_the_id_is_the_hash_of_nonce_and_creator() -> None:
    """So peers and orderers compute it, and refuse any other."""
    assert transaction_id_of(b"n" * 24, b"c") == hashlib.sha256(b"n" * 24 + b"c").hexdigest()


def test_two_proposals_of_one_call_have_two_ids(signer: Signer) -> None:
    """What is endorsed anew is a new transaction."""
    first, second = (propose(CALL, signer, timestamp_ms=NOW_MS) for _ in range(2))

    assert first.transaction_id != second.transaction_id


def test_a_proposal_names_channel_time_and_id(signer: Signer) -> None:
    """Every endorser sees the same time, to the millisecond."""
    signed = propose(CALL, signer, timestamp_ms=NOW_MS)

    proposal = FabricProposal.FromString(signed.proposal.proposal_bytes)
    header = ChannelHeader.FromString(Header.FromString(proposal.header).channel_header)

    assert (header.channel_id, header.tx_id) == ("gxchannel", signed.transaction_id)
    assert timestamp_ms(header.timestamp) == NOW_MS


def test_sealed_bytes_tell_their_own_id(content: bytes) -> None:
    """Nothing needs to be stored beside them to submit them."""
    transaction_id, envelope = open_sealed(content)

    assert len(transaction_id) == 64
    assert envelope == Envelope.FromString(content)


@given(data=st.data())
def test_no_changed_byte_passes_for_the_original(content: bytes, data: st.DataObject) -> None:
    """Wherever it is changed: nothing else than what was signed is ever sent."""
    at = data.draw(st.integers(0, len(content) - 1))
    mask = data.draw(st.integers(1, 255))
    changed = content[:at] + bytes((content[at] ^ mask,)) + content[at + 1 :]

    with pytest.raises(BadTransactionError):
        open_sealed(changed)


@given(at_ms=st.integers(0, 4_102_444_800_000).map(EpochMs))
def test_a_time_comes_back_as_it_was(at_ms: EpochMs) -> None:
    """Fabric counts seconds and nanoseconds."""
    assert timestamp_ms(timestamp(at_ms)) == at_ms


@pytest.mark.parametrize(
    ("number", "integer"),
    [
        (0, b"\x02\x01\x00"),
        (127, b"\x02\x01\x7f"),
        (128, b"\x02\x02\x00\x80"),
        (255, b"\x02\x02\x00\xff"),
        (256, b"\x02\x02\x01\x00"),
        (2**63, b"\x02\x09\x00\x80" + bytes(7)),
    ],
)
def test_a_blocks_hash_is_that_of_its_headers_asn1(number: int, integer: bytes) -> None:
    """SEQUENCE of number, previous hash and data hash; a number is never taken for negative."""
    header = BlockHeader(number=number, previous_hash=b"p" * 32, data_hash=b"d" * 32)
    content = integer + b"\x04\x20" + b"p" * 32 + b"\x04\x20" + b"d" * 32

    encoded = b"\x30" + bytes((len(content),)) + content

    assert hash_header(header) == hashlib.sha256(encoded).digest()
