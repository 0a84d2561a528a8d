"""How a transaction fails when it is not the contract's fault. Peers learn only that it failed."""

from gx.domain.errors import GxError


class PeerRefusedError(GxError):
    """The peer answered a request with an error: nothing is known of what was asked.

    The peer's words are left out, for they may quote keys; its own log has them.
    """


class PeerAnswerError(GxError):
    """The peer answered, but not with what the request asks for."""


class PeerLostError(GxError):
    """The connection to the peer ended while the transaction waited; nobody hears the result."""


class MessageTooLargeError(GxError):
    """A request is larger than a message may be; the transaction asks for too much at once."""


class SimulationTimeoutError(GxError):
    """The transaction ran longer than the peer waits for it."""


class ProtocolError(GxError):
    """The peer sent what no peer sends at that moment. The connection is not to be trusted."""


class CreatorError(GxError):
    """The proposal does not say who signed it in a way that this chaincode can read."""


class ServingError(GxError):
    """The server cannot start as it is set up; the text says what to change."""
