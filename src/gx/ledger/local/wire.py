"""What client and server say to each other on the Unix socket.

A frame is a length (four bytes, big-endian) and that many bytes of MessagePack. The client
speaks first, with `Hello`, and is answered `Welcome`, or `Failure` if the versions differ. After
that a connection carries either calls, many at a time, each answered under its own number, or,
from a `Follow` on, one stream of blocks. A stream that has nothing to say sends `Heartbeat`.

A consumer that reads slowly fills the socket's buffer, and the server then waits: nothing piles
up in either process.
"""

import asyncio
from pathlib import Path
from typing import Final, TypeAlias

import msgspec

from gx.domain.errors import GxError
from gx.domain.refusals import RefusalCode
from gx.domain.roles import LedgerRole
from gx.ledger.ports import ValidationCode

PROTOCOL: Final = 2
FRAME_BYTES_MAX: Final = 64 * 1024 * 1024
BUFFER_BYTES: Final = 1024 * 1024
"""What either side reads ahead of its consumer, at most twice; a larger frame is read whole."""

SOCKET_PATH_BYTES_MAX: Final = 107  # sockaddr_un.sun_path has 108 bytes, the last one NUL
HEARTBEAT_S: Final = 2.0
_LENGTH_BYTES: Final = 4


class WireError(GxError):
    """What came over the socket is not this protocol; the connection is of no more use."""


class Hello(msgspec.Struct, frozen=True, array_like=True, tag="hello"):
    """The client's first word."""

    protocol: int


class Prepare(msgspec.Struct, frozen=True, array_like=True, tag="prepare"):
    """Endorse and sign a call."""

    function: str
    arguments: tuple[str, ...]
    role: LedgerRole
    timeout_s: float


class Evaluate(msgspec.Struct, frozen=True, array_like=True, tag="evaluate"):
    """Run a function and record nothing."""

    function: str
    arguments: tuple[str, ...]
    role: LedgerRole
    timeout_s: float


class Submit(msgspec.Struct, frozen=True, array_like=True, tag="submit"):
    """Append an envelope's transaction."""

    content: bytes


class AskVerdict(msgspec.Struct, frozen=True, array_like=True, tag="verdict"):
    """Tell what became of a transaction."""

    transaction_id: str


class Describe(msgspec.Struct, frozen=True, array_like=True, tag="chain_info"):
    """Tell the chain's height and identity."""


class Follow(msgspec.Struct, frozen=True, array_like=True, tag="blocks"):
    """Stream the blocks from this number on."""

    first: int


Request: TypeAlias = Prepare | Evaluate | Submit | AskVerdict | Describe | Follow


class Welcome(msgspec.Struct, frozen=True, array_like=True, tag="welcome"):
    """The server's answer to `Hello`."""

    protocol: int


class Prepared(msgspec.Struct, frozen=True, array_like=True, tag="prepared"):
    """The answer to `Prepare`."""

    transaction_id: str
    content: bytes
    result: str


class Evaluated(msgspec.Struct, frozen=True, array_like=True, tag="evaluated"):
    """The answer to `Evaluate`."""

    result: str


class Submitted(msgspec.Struct, frozen=True, array_like=True, tag="submitted"):
    """The answer to `Submit`: the transaction is durably in a block, valid or not."""


class VerdictFound(msgspec.Struct, frozen=True, array_like=True, tag="verdict"):
    """The answer to `AskVerdict` about a transaction that a block holds."""

    code: ValidationCode
    block_number: int
    event: tuple[str, str] | None


class NoVerdict(msgspec.Struct, frozen=True, array_like=True, tag="unknown"):
    """The answer to `AskVerdict` about a transaction that no block holds."""


class Described(msgspec.Struct, frozen=True, array_like=True, tag="chain_info"):
    """The answer to `Describe`."""

    height: int
    genesis_hash: str
    newest_timestamp_ms: int


class BlockSent(msgspec.Struct, frozen=True, array_like=True, tag="block"):
    """One block of a stream, checked by the server."""

    number: int
    previous_hash: bytes
    hash: bytes
    metadata: bytes
    content: bytes


class Heartbeat(msgspec.Struct, frozen=True, array_like=True, tag="heartbeat"):
    """The stream lives; there is no new block."""


class Failure(msgspec.Struct, frozen=True, array_like=True, tag="failure"):
    """The request failed. `refusal` has code and detail of a contract's no."""

    code: str
    message: str
    is_transient: bool
    refusal: tuple[RefusalCode, str] | None = None
    block_number: int | None = None


Answer: TypeAlias = (
    Prepared | Evaluated | Submitted | VerdictFound | NoVerdict | Described | Failure
)
StreamItem: TypeAlias = BlockSent | Heartbeat | Failure


class Numbered(msgspec.Struct, frozen=True, array_like=True):
    """A request under the number that its answer will bear."""

    number: int
    request: Request


class Reply(msgspec.Struct, frozen=True, array_like=True):
    """An answer to the request of that number."""

    number: int
    answer: Answer


_ENCODER: Final = msgspec.msgpack.Encoder()
HELLO: Final = msgspec.msgpack.Decoder(Hello)
GREETING: Final = msgspec.msgpack.Decoder(Welcome | Failure)
NUMBERED: Final = msgspec.msgpack.Decoder(Numbered)
REPLY: Final = msgspec.msgpack.Decoder(Reply)
STREAM_ITEM: Final = msgspec.msgpack.Decoder(StreamItem)


def require_usable_path(socket: Path) -> None:
    """Refuse a path that no Unix socket can have.

    Raises:
        WireError: it is too long for the operating system.
    """
    length = len(str(socket).encode())
    if length > SOCKET_PATH_BYTES_MAX:
        raise WireError(
            f"the socket's path has {length} bytes, the operating system allows "
            f"{SOCKET_PATH_BYTES_MAX}: choose a shorter folder than {socket.parent}"
        )


async def read_frame(reader: asyncio.StreamReader, *, bytes_max: int) -> bytes | None:
    """Read one frame; None where the other side has closed the connection.

    Raises:
        WireError: the frame is larger than allowed.
        OSError: the connection broke, also in the middle of a frame.
    """
    try:
        head = await reader.readexactly(_LENGTH_BYTES)
        length = int.from_bytes(head, "big")
        if length > bytes_max:
            raise WireError(f"a frame of {length} bytes came, at most {bytes_max} are allowed")
        return await reader.readexactly(length)
    except asyncio.IncompleteReadError as error:
        if error.partial:
            raise ConnectionResetError("the connection broke within a frame") from error
        return None


def write_frame(writer: asyncio.StreamWriter, message: msgspec.Struct, *, bytes_max: int) -> None:
    """Queue one frame; `await writer.drain()` then waits for a slow reader.

    Raises:
        WireError: the frame would be larger than allowed; nothing was queued.
    """
    data = _ENCODER.encode(message)
    if len(data) > bytes_max:
        raise WireError(f"a frame of {len(data)} bytes is larger than the {bytes_max} allowed")
    writer.writelines((len(data).to_bytes(_LENGTH_BYTES, "big"), data))
