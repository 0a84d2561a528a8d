"""W3C trace context: read it, write it, derive children of it. Nothing is recorded or sent here.

The context is stored with a command, so that a trace goes on from the request over the outbox and
the ledger to the projection. Source: w3.org/TR/trace-context, version 00.
"""

import re
from dataclasses import dataclass
from hashlib import blake2b
from typing import Final

ENTROPY_BYTES: Final = 24
_TRACE_ID_BYTES: Final = 16
_SPAN_ID_BYTES: Final = 8
_SAMPLED: Final = 0x01

# A later version may add fields at the end; version ff is reserved.
_TRACEPARENT: Final = re.compile(
    r"(?P<version>[0-9a-f]{2})-(?P<trace_id>[0-9a-f]{32})-(?P<span_id>[0-9a-f]{16})"
    r"-(?P<flags>[0-9a-f]{2})(?P<rest>-.*)?"
)
_CURRENT_VERSION: Final = "00"
_RESERVED_VERSION: Final = "ff"


@dataclass(frozen=True, slots=True)
class TraceContext:
    """Where in which trace something happens. Ids are lower-case hex and never all zero."""

    trace_id: str
    span_id: str
    is_sampled: bool

    def render_traceparent(self) -> str:
        """Return the value of a `traceparent` header."""
        flags = _SAMPLED if self.is_sampled else 0
        return f"{_CURRENT_VERSION}-{self.trace_id}-{self.span_id}-{flags:02x}"


def parse_traceparent(text: str) -> TraceContext | None:
    """Read a `traceparent` header; None if it is malformed, which W3C says to ignore."""
    match = _TRACEPARENT.fullmatch(text.strip())
    if match is None or match["version"] == _RESERVED_VERSION:
        return None
    if match["version"] == _CURRENT_VERSION and match["rest"] is not None:
        return None
    if not int(match["trace_id"], 16) or not int(match["span_id"], 16):
        return None
    return TraceContext(
        match["trace_id"], match["span_id"], is_sampled=bool(int(match["flags"], 16) & _SAMPLED)
    )


def build_root(entropy: bytes, *, is_sampled: bool = True) -> TraceContext:
    """Start a trace from `ENTROPY_BYTES` random bytes.

    Raises:
        ValueError: There are more or fewer bytes than that.
    """
    if len(entropy) != ENTROPY_BYTES:
        raise ValueError(f"a trace needs {ENTROPY_BYTES} random bytes, got {len(entropy)}")
    return TraceContext(
        _hex_id(entropy[:_TRACE_ID_BYTES]), _hex_id(entropy[_TRACE_ID_BYTES:]), is_sampled
    )


def build_child(parent: TraceContext, seed: str) -> TraceContext:
    """Derive the span of a step named by `seed` under `parent`.

    The same parent and seed give the same span in every process and after every restart, so a
    step that is repeated after a crash is still one span. Distinct seeds give distinct spans.
    """
    key = bytes.fromhex(parent.trace_id + parent.span_id)
    digest = blake2b(seed.encode(), key=key, digest_size=_SPAN_ID_BYTES).digest()
    return TraceContext(parent.trace_id, _hex_id(digest), parent.is_sampled)


def _hex_id(content: bytes) -> str:
    """Return the bytes as hex; all zeros are no id, so they become one."""
    return content.hex() if any(content) else "1".zfill(len(content) * 2)
