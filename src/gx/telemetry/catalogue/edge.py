"""What the API exports: requests by route template, waits, streams and refused admissions.

`/livez`, `/readyz` and `/metrics` are never counted. A request that waits for a command's progress
and an event stream are not in the request duration: they would page as latency.
"""

from typing import Final

from gx.telemetry.catalogue.dimensions import (
    API,
    ENDPOINT,
    HTTP_STATUS,
    LATENCY_BOUNDS_MS,
    METHOD,
    QUOTED,
    SERVICE,
    SIZE_BOUNDS_BYTES,
)
from gx.telemetry.metric import Condition, Kind, Label, Metric, Unit, ValueSource

HTTP_REQUESTS: Final = Metric(
    name="http_requests_total",
    kind=Kind.COUNTER,
    help="HTTP requests answered, by route template, method and status.",
    unit=Unit.COUNT,
    processes=API,
    labels=(SERVICE, ENDPOINT, METHOD, HTTP_STATUS),
)
HTTP_REQUEST_DURATION: Final = Metric(
    name="http_request_duration_ms",
    kind=Kind.HISTOGRAM,
    help="Time to answer a request that neither waits for a command nor streams.",
    unit=Unit.MILLISECONDS,
    processes=API,
    labels=(SERVICE, ENDPOINT, METHOD),
    buckets=LATENCY_BOUNDS_MS,
    unit_exception=QUOTED,
)
HTTP_REQUEST_SIZE: Final = Metric(
    name="http_request_size_bytes",
    kind=Kind.HISTOGRAM,
    help="Size of request bodies.",
    unit=Unit.BYTES,
    processes=API,
    labels=(SERVICE, ENDPOINT),
    buckets=SIZE_BOUNDS_BYTES,
)
HTTP_RESPONSE_SIZE: Final = Metric(
    name="http_response_size_bytes",
    kind=Kind.HISTOGRAM,
    help="Size of response bodies.",
    unit=Unit.BYTES,
    processes=API,
    labels=(SERVICE, ENDPOINT),
    buckets=SIZE_BOUNDS_BYTES,
)
HTTP_WAIT_DURATION: Final = Metric(
    name="http_wait_duration_ms",
    kind=Kind.HISTOGRAM,
    help="Time that requests with wait= took: how long clients waited for a command.",
    unit=Unit.MILLISECONDS,
    processes=API,
    buckets=LATENCY_BOUNDS_MS,
    unit_exception="twin of http_request_duration_ms, compared with it on one axis",
)
HTTP_STREAMS_OPEN: Final = Metric(
    name="http_streams_open",
    kind=Kind.GAUGE,
    help="Event streams that clients hold open.",
    unit=Unit.COUNT,
    processes=API,
)
OUTBOX_ADMISSIONS_REFUSED: Final = Metric(
    name="outbox_admissions_refused_total",
    kind=Kind.COUNTER,
    help="Commands refused with BACKLOG_FULL because the queue was too old.",
    unit=Unit.COUNT,
    processes=API,
)
REDIS_COMMANDS: Final = Metric(
    name="redis_commands_total",
    kind=Kind.COUNTER,
    help="Commands sent to Redis or Valkey, by command and outcome.",
    unit=Unit.COUNT,
    processes=API,
    labels=(
        Label("command", source=ValueSource.REDIS_COMMANDS, fallback="other"),
        Label("status", values=("success", "error")),
    ),
    condition=Condition.REDIS,
)

METRICS: Final = (
    HTTP_REQUESTS,
    HTTP_REQUEST_DURATION,
    HTTP_REQUEST_SIZE,
    HTTP_RESPONSE_SIZE,
    HTTP_WAIT_DURATION,
    HTTP_STREAMS_OPEN,
    OUTBOX_ADMISSIONS_REFUSED,
    REDIS_COMMANDS,
)
