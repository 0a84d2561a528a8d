"""What a peer wants executed: the function and its arguments, and who proposed it when."""

from dataclasses import dataclass

from fabric_protos.common.common_pb2 import ChannelHeader, Header, SignatureHeader
from fabric_protos.peer.chaincode_pb2 import ChaincodeInput
from fabric_protos.peer.chaincode_shim_pb2 import ChaincodeMessage
from fabric_protos.peer.proposal_pb2 import Proposal
from google.protobuf.message import DecodeError

from gx.chaincode.server.errors import CreatorError
from gx.domain.identifiers import EpochSeconds
from gx.domain.refusals import RefusalCode, RefusedError


@dataclass(frozen=True, slots=True, kw_only=True)
class Invocation:
    """A proposal as far as the contracts are concerned. `creator` is a serialized identity."""

    function: str
    args: tuple[str, ...]
    creator: bytes
    timestamp_s: EpochSeconds


def read_invocation(message: ChaincodeMessage) -> Invocation:
    """Take a TRANSACTION apart.

    Raises:
        CreatorError: there is no signed proposal in it, or none that can be read.
        RefusedError: the arguments are no text, or name no function.
    """
    header, signer = _read_headers(message)
    function, *args = _read_arguments(message.payload)
    return Invocation(
        function=function,
        args=tuple(args),
        creator=signer.creator,
        timestamp_s=EpochSeconds(header.timestamp.seconds),
    )


def _read_headers(message: ChaincodeMessage) -> tuple[ChannelHeader, SignatureHeader]:
    try:
        proposal = Proposal.FromString(message.proposal.proposal_bytes)
        header = Header.FromString(proposal.header)
        channel = ChannelHeader.FromString(header.channel_header)
        signer = SignatureHeader.FromString(header.signature_header)
    except DecodeError as error:
        raise CreatorError("the proposal cannot be read") from error
    if not signer.creator or not channel.HasField("timestamp"):
        raise CreatorError("the proposal has no creator or no time")
    return channel, signer


def _read_arguments(payload: bytes) -> list[str]:
    try:
        texts = [argument.decode() for argument in ChaincodeInput.FromString(payload).args]
    except (DecodeError, UnicodeDecodeError) as error:
        raise RefusedError(
            RefusalCode.ARGUMENT_INVALID, "function and arguments must be UTF-8 text"
        ) from error
    if not texts:
        raise RefusedError(RefusalCode.UNKNOWN_FUNCTION, "the call names no contract function")
    return texts
