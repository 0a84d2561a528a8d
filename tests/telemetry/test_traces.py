"""W3C trace context: what is accepted, and that ids stay valid."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gx.telemetry.traces import (
    ENTROPY_BYTES,
    TraceContext,
    build_child,
    build_root,
    parse_traceparent,
)

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
ENTROPY = st.binary(min_size=ENTROPY_BYTES, max_size=ENTROPY_BYTES)


@pytest.mark.parametrize(
    ("text", "is_sampled"),
    [
        pytest.param(f"00-{TRACE}-{SPAN}-01", True, id="sampled"),
        pytest.param(f"00-{TRACE}-{SPAN}-00", False, id="not sampled"),
        pytest.param(f" 00-{TRACE}-{SPAN}-03 ", True, id="other flags, blanks"),
        pytest.param(f"cc-{TRACE}-{SPAN}-01-what-comes-later", True, id="later version"),
    ],
)
def test_a_valid_header_is_read(text: str, *, is_sampled: bool) -> None:
    """The specification's own example, its flags, and a later version's extra fields."""
    assert parse_traceparent(text) == TraceContext(TRACE, SPAN, is_sampled=is_sampled)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="empty"),
        pytest.param(f"00-{TRACE}-{SPAN}", id="no flags"),
        pytest.param(f"00-{TRACE.upper()}-{SPAN}-01", id="upper case"),
        pytest.param(f"00-{'0' * 32}-{SPAN}-01", id="zero trace id"),
        pytest.param(f"00-{TRACE}-{'0' * 16}-01", id="zero span id"),
        pytest.param(f"ff-{TRACE}-{SPAN}-01", id="reserved version"),
        pytest.param(f"00-{TRACE}-{SPAN}-01-more", id="more than version 00 has"),
        pytest.param(f"00-{TRACE}-{SPAN}-0g", id="not hex"),
    ],
)
def test_a_malformed_header_is_ignored(text: str) -> None:
    """Anything else starts a new trace instead of continuing a broken one."""
    assert parse_traceparent(text) is None


@given(entropy=ENTROPY, is_sampled=st.booleans(), seed=st.text())
def test_what_is_written_is_read(entropy: bytes, is_sampled: bool, seed: str) -> None:  # noqa: FBT001 (drawn by name)
    """Roots and children of any bytes, even all zero, are valid and survive the header."""
    root = build_root(entropy, is_sampled=is_sampled)
    child = build_child(root, seed)

    assert parse_traceparent(root.render_traceparent()) == root
    assert parse_traceparent(child.render_traceparent()) == child
    assert (child.trace_id, child.is_sampled) == (root.trace_id, root.is_sampled)


@given(entropy=ENTROPY, seeds=st.sets(st.text(), min_size=2, max_size=2))
def test_a_repeated_step_is_the_same_span(entropy: bytes, seeds: set[str]) -> None:
    """The same step under the same parent has one span id; another step has another."""
    root, (one, other) = build_root(entropy), sorted(seeds)

    assert build_child(root, one) == build_child(root, one)
    assert build_child(root, one).span_id != build_child(root, other).span_id


def test_a_trace_needs_enough_randomness() -> None:
    """Too few bytes are refused instead of padded."""
    with pytest.raises(ValueError, match="24 random bytes, got 8"):
        build_root(b"12345678")
