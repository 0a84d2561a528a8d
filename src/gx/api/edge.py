"""The outermost layer of the HTTP edge: bounds, failures, request ids and metrics, in one pass.

It sees every request, also those that no route takes. `/livez` and `/readyz` are answered here,
uncounted and unlimited, so that probes neither hide a slow API nor are refused by a busy one.
"""

import math
import time
from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Final

import structlog
from starlette.types import ASGIApp

from gx.api.exchange import (
    SCOPE_KEY,
    DisconnectedError,
    Exchange,
    Message,
    Receive,
    Send,
)
from gx.api.problems import CONTENT_TYPE, Problem, RequestRefusedError, problem_of
from gx.api.routes import EdgeRoute
from gx.api.settings import EdgeSettings
from gx.domain.refusals import RefusalCode
from gx.outbox.ports import BacklogFullError
from gx.telemetry.health import ProbeAnswer, Probes
from gx.telemetry.instruments import ApiMetrics, RouteMetrics

_log: Final = structlog.get_logger(__name__)

UNMATCHED: Final = "unmatched"
OUTAGE_LOG_INTERVAL_S: Final = 1.0


class Edge:
    """ASGI middleware around the routes."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        routes: Iterable[EdgeRoute],
        probes: Probes,
        metrics: ApiMetrics,
        settings: EdgeSettings,
        monotonic_s: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._app = app
        self._probes = {"/livez": probes.livez, "/readyz": probes.readyz}
        self._metrics = metrics
        self._settings = settings
        self._monotonic_s = monotonic_s
        self._unavailable = 0
        self._outage_noted_at_s = -math.inf
        # A path without placeholders needs no matching: a look-up instead of dozens of patterns.
        self._exact = {
            (route.spec.method, route.spec.path): route
            for route in routes
            if not route.spec.has_placeholders
        }
        self._exact_paths = {path for _, path in self._exact}

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer one request, whatever happens."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if scope["method"] == "HEAD":
            scope, send = {**scope, "method": "GET"}, _without_body(send)
        probe = self._probes.get(str(scope["path"]))
        within_s = self._settings.body_within_s
        exchange = Exchange(scope, receive, send, body_within_s=within_s)
        if probe is not None:
            await _answer_probe(exchange, probe())
            return
        started_s = self._monotonic_s()
        scope[SCOPE_KEY] = exchange
        try:
            await self._dispatch(exchange, scope, receive)
        except DisconnectedError:
            pass
        except Exception as error:  # noqa: BLE001 - whatever it is, the client gets a problem, never a trace
            await self._refuse(exchange, error)
        finally:
            del scope[SCOPE_KEY]  # or the two would hold each other until a collection
            self._observe(exchange, (self._monotonic_s() - started_s) * 1_000)

    async def _dispatch(self, exchange: Exchange, scope: Message, receive: Receive) -> None:
        self._require_bounded_headers(exchange)
        path = str(scope["path"])
        route = self._exact.get((str(scope["method"]), path))
        if route is not None:
            await route.app(scope, receive, exchange.send)
        elif path in self._exact_paths:
            # Not left to the patterns: `/commands/{commandId}` matches `/commands/query`, too.
            raise method_refused(method for method, known in self._exact if known == path)
        else:
            await self._app(scope, receive, exchange.send)

    def _require_bounded_headers(self, exchange: Exchange) -> None:
        settings = self._settings
        if (
            exchange.header_count > settings.headers_max
            or exchange.header_bytes > settings.header_bytes_max
        ):
            raise RequestRefusedError(
                RefusalCode.HEADERS_TOO_LARGE,
                f"a request has at most {settings.headers_max} headers of together "
                f"{settings.header_bytes_max} bytes",
                headers={"Connection": "close"},
            )

    async def _refuse(self, exchange: Exchange, error: Exception) -> None:
        problem = problem_of(error)
        self._note_failure(exchange, problem, error)
        if exchange.status:  # the answer has begun: all that is left is to break it off
            return
        if problem.code is RefusalCode.BODY_TOO_LARGE:
            await exchange.discard_body()
        headers = [
            (name.lower().encode(), value.encode())
            for name, value in (problem.headers or {}).items()
        ]
        body = problem.to_json(exchange.request_id.decode())
        await exchange.reply(problem.status, body, headers, content_type=CONTENT_TYPE.encode())

    def _note_failure(self, exchange: Exchange, problem: Problem, error: Exception) -> None:
        if isinstance(error, BacklogFullError):
            self._metrics.admissions_refused.inc()
        elif problem.code is RefusalCode.INTERNAL_ERROR:
            _log.error("request_failed", exc_info=error, **_where(exchange))
        elif problem.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            self._note_outage(exchange, error)

    def _note_outage(self, exchange: Exchange, error: Exception) -> None:
        """Log one of the requests that an outage fails each second, and how many there were."""
        self._unavailable += 1
        now_s = self._monotonic_s()
        if now_s >= self._outage_noted_at_s + OUTAGE_LOG_INTERVAL_S:
            _log.warning(
                "requests_unavailable",
                error=repr(error),
                requests=self._unavailable,
                **_where(exchange),
            )
            self._unavailable = 0
            self._outage_noted_at_s = now_s

    def _observe(self, exchange: Exchange, elapsed_ms: float) -> None:
        route = self._instruments_of(exchange)
        route.answered(exchange.status).inc()
        route.request_size_bytes.observe(exchange.request_bytes)
        route.response_size_bytes.observe(exchange.response_bytes)
        if exchange.is_waiting:
            self._metrics.wait_duration_ms.observe(elapsed_ms)
        elif not exchange.is_streaming:
            route.duration_ms.observe(elapsed_ms)

    def _instruments_of(self, exchange: Exchange) -> RouteMetrics:
        if exchange.route is None:
            return self._metrics.route(UNMATCHED, exchange.method)
        return self._metrics.route(exchange.route.path, exchange.route.method)


def method_refused(methods: Iterable[str]) -> RequestRefusedError:
    """Say which methods a path takes; whatever takes GET takes HEAD."""
    allowed = ", ".join("GET, HEAD" if method == "GET" else method for method in sorted(methods))
    return RequestRefusedError(
        RefusalCode.METHOD_NOT_ALLOWED, f"this path takes {allowed}", headers={"Allow": allowed}
    )


def _without_body(send: Send) -> Send:
    """Answer HEAD: what GET would be answered, with its length and without its body."""

    async def pass_on(message: Message) -> None:
        is_body = message["type"] == "http.response.body"
        await send({**message, "body": b""} if is_body else message)

    return pass_on


def _where(exchange: Exchange) -> dict[str, str]:
    return {
        "request_id": exchange.request_id.decode(),
        "method": exchange.method,
        "endpoint": UNMATCHED if exchange.route is None else exchange.route.path,
    }


async def _answer_probe(exchange: Exchange, answer: ProbeAnswer) -> None:
    await exchange.reply(answer.status_code, answer.to_json())
