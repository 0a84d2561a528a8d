"""A transaction from its proposal to its signed bytes, in Fabric's messages. Pure but for nonces.

The transaction id is the SHA-256 of a nonce and of who signs, so nobody else can use it up. The
bytes that are stored and submitted are the signed `common.Envelope` alone: everything else that a
submission names is read from them, so that nothing can stand beside them that does not fit.
"""

import hashlib
import secrets
from dataclasses import dataclass
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from fabric_protos.common.common_pb2 import (
    ChannelHeader,
    Envelope,
    Header,
    HeaderType,
    Payload,
    SignatureHeader,
)
from fabric_protos.msp.identities_pb2 import SerializedIdentity
from fabric_protos.peer.chaincode_pb2 import (
    ChaincodeID,
    ChaincodeInput,
    ChaincodeInvocationSpec,
    ChaincodeSpec,
)
from fabric_protos.peer.proposal_pb2 import (
    ChaincodeAction,
    ChaincodeHeaderExtension,
    ChaincodeProposalPayload,
    Proposal,
    SignedProposal,
)
from fabric_protos.peer.proposal_response_pb2 import ProposalResponsePayload
from fabric_protos.peer.transaction_pb2 import ChaincodeActionPayload, Transaction
from google.protobuf.message import DecodeError
from google.protobuf.timestamp_pb2 import Timestamp

from gx.domain.errors import GxError
from gx.domain.identifiers import EpochMs, TransactionId
from gx.ledger.fabric.identities import Signer

NONCE_BYTES: Final = 24


class BadTransactionError(GxError):
    """The bytes are no transaction that its creator signed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A call of a chaincode's function on a channel."""

    channel: str
    chaincode: str
    function: str
    arguments: tuple[str | bytes, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedCall:
    """A proposal, signed, under the id that its transaction will have."""

    transaction_id: TransactionId
    proposal: SignedProposal


def transaction_id_of(nonce: bytes, creator: bytes) -> TransactionId:
    """Compute the id that a nonce and a creator make."""
    return TransactionId(hashlib.sha256(nonce + creator).hexdigest())


def propose(call: Call, signer: Signer, *, timestamp_ms: EpochMs) -> SignedCall:
    """Write and sign a proposal, under a transaction id that was never used."""
    nonce = secrets.token_bytes(NONCE_BYTES)
    transaction_id = transaction_id_of(nonce, signer.creator)
    chaincode = ChaincodeID(name=call.chaincode)
    channel_header = ChannelHeader(
        type=HeaderType.ENDORSER_TRANSACTION,
        timestamp=timestamp(timestamp_ms),
        channel_id=call.channel,
        tx_id=transaction_id,
        extension=ChaincodeHeaderExtension(chaincode_id=chaincode).SerializeToString(),
    )
    header = Header(
        channel_header=channel_header.SerializeToString(),
        signature_header=SignatureHeader(creator=signer.creator, nonce=nonce).SerializeToString(),
    )
    arguments = [_as_bytes(each) for each in (call.function, *call.arguments)]
    invocation = ChaincodeInvocationSpec(
        chaincode_spec=ChaincodeSpec(
            type=ChaincodeSpec.Type.GOLANG,  # what every client says; no peer looks at it
            chaincode_id=chaincode,
            input=ChaincodeInput(args=arguments),
        )
    )
    payload = ChaincodeProposalPayload(input=invocation.SerializeToString())
    proposal = Proposal(
        header=header.SerializeToString(), payload=payload.SerializeToString()
    ).SerializeToString()
    return SignedCall(
        transaction_id=transaction_id,
        proposal=SignedProposal(proposal_bytes=proposal, signature=signer.sign(proposal)),
    )


def timestamp(at_ms: EpochMs) -> Timestamp:
    """Write a time as Fabric does."""
    seconds, millis = divmod(at_ms, 1000)
    return Timestamp(seconds=seconds, nanos=millis * 1_000_000)


def timestamp_ms(written: Timestamp) -> EpochMs:
    """Read a time of Fabric's, cut to milliseconds."""
    return EpochMs(written.seconds * 1000 + written.nanos // 1_000_000)


def seal(payload: bytes, signer: Signer) -> bytes:
    """Sign an endorsed transaction; these bytes are what is stored and submitted."""
    return Envelope(payload=payload, signature=signer.sign(payload)).SerializeToString()


def open_sealed(content: bytes) -> tuple[TransactionId, Envelope]:
    """Read stored bytes and make sure that they are as their creator signed them.

    An orderer looks at the signature too, but a peer that forwards the bytes, and an orderer
    that drops them, would not say the same thing about the same damage.

    Raises:
        BadTransactionError: they are not.
    """
    try:
        envelope = Envelope.FromString(content)
        payload = Payload.FromString(envelope.payload)
        channel = ChannelHeader.FromString(payload.header.channel_header)
        signature = SignatureHeader.FromString(payload.header.signature_header)
        creator = SerializedIdentity.FromString(signature.creator)
        certificate = x509.load_pem_x509_certificate(creator.id_bytes)
        key = certificate.public_key()
        if not isinstance(key, ec.EllipticCurvePublicKey):
            raise BadTransactionError("the creator's certificate is not for ECDSA")
        key.verify(envelope.signature, envelope.payload, ec.ECDSA(hashes.SHA256()))
    except InvalidSignature as error:
        raise BadTransactionError("the signature is not the creator's") from error
    except (DecodeError, UnicodeError, ValueError, UnsupportedAlgorithm) as error:
        raise BadTransactionError(f"these bytes are no transaction: {error}") from error
    if channel.tx_id != transaction_id_of(signature.nonce, signature.creator):
        raise BadTransactionError("the transaction id is not that of its nonce and creator")
    return TransactionId(channel.tx_id), envelope


def action_of(payload: Payload) -> ChaincodeAction:
    """Return what a transaction does: its response, its event and its writes.

    Raises:
        DecodeError: it is no endorser transaction.
        IndexError: it has no action.
    """
    transaction = Transaction.FromString(payload.data)
    action = ChaincodeActionPayload.FromString(transaction.actions[0].payload)
    endorsed = ProposalResponsePayload.FromString(action.action.proposal_response_payload)
    return ChaincodeAction.FromString(endorsed.extension)


def result_of(payload: bytes) -> str:
    """Return what the function returned when the transaction was endorsed.

    Raises:
        BadTransactionError: the bytes are no endorsed transaction.
    """
    try:
        return action_of(Payload.FromString(payload)).response.payload.decode("utf-8", "replace")
    except (DecodeError, IndexError) as error:
        raise BadTransactionError(f"the gateway endorsed something else: {error}") from error


def _as_bytes(argument: str | bytes) -> bytes:
    return argument.encode() if isinstance(argument, str) else argument
