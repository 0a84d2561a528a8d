"""Trace context at the edge: a client's trace goes on, or one begins here."""

from gx.api.exchange import Exchange
from gx.telemetry.traces import build_child, build_root, parse_traceparent


def trace_parent_of(exchange: Exchange) -> str:
    """Return the `traceparent` that is stored with a command: this request's own span."""
    given = exchange.header(b"traceparent")
    parent = None if given is None else parse_traceparent(given)
    if parent is None:
        return build_root(exchange.entropy).render_traceparent()
    return build_child(parent, exchange.request_id.decode()).render_traceparent()
