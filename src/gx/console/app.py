"""The console as a web application: pages, the documents that they draw, and the relay."""

from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated, Final
from urllib.parse import quote

import msgspec
from fastapi import APIRouter, FastAPI, Query, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from gx.console.alerts import read_alerts
from gx.console.data import build_frame, read_dashboard
from gx.console.guard import Guard
from gx.console.pages import Pages
from gx.console.panels import BY_UID, wire_dashboards
from gx.console.prometheus import Prometheus
from gx.console.relay import BODY_BYTES_MAX, Relay, Relayed, refusal
from gx.console.runbooks import RunbookShelf
from gx.console.sources import Source
from gx.console.status import read_status
from gx.console.targets import read_targets
from gx.domain.clock import Clock
from gx.monitoring.model import BACKEND_DASHBOARD

SPAN_MIN_S: Final = 60
SPAN_MAX_S: Final = 45 * 86_400
NAMESPACES_MAX: Final = 20

Span = Annotated[int, Query(ge=SPAN_MIN_S, le=SPAN_MAX_S)]
Namespaces = Annotated[list[str] | None, Query(max_length=NAMESPACES_MAX)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Collaborators:
    """What the application works with. `hosts` are further names that it answers to."""

    prometheus: Prometheus
    alertmanager: Source
    api: Source
    relay: Relay
    shelf: RunbookShelf
    pages: Pages
    clock: Clock
    environment: str
    scrape_interval_s: int
    hosts: frozenset[str] = frozenset()


def create_app(parts: Collaborators) -> FastAPI:
    """Build the application."""
    app = FastAPI(title="GX console", docs_url=None, redoc_url=None, openapi_url=None)
    app.include_router(_probe_routes())
    app.include_router(_document_routes(parts))
    app.include_router(_operator_routes(parts.relay))
    app.include_router(_page_routes(parts.pages))
    app.include_router(_file_routes(parts.pages))
    app.add_middleware(Guard, hosts=parts.hosts)
    return app


def _json(value: object) -> Response:
    headers = {"cache-control": "no-store"}
    return Response(msgspec.json.encode(value), media_type="application/json", headers=headers)


def _probe_routes() -> APIRouter:
    """Answer probes; sources that are away are shown on the page and are no fault of its own."""
    router = APIRouter()

    @router.get("/livez")
    @router.get("/readyz")
    async def probe() -> Response:
        return _json({"ok": True, "checks": {}})

    return router


def _document_routes(parts: Collaborators) -> APIRouter:
    router = APIRouter(prefix="/api")
    dashboards = wire_dashboards()

    @router.get("/status")
    async def status() -> Response:
        others = {"/readyz": parts.api, "/-/ready": parts.alertmanager}
        now_ms = parts.clock.now_ms()
        return _json(
            await read_status(
                parts.prometheus, others, environment=parts.environment, now_ms=now_ms
            )
        )

    @router.get("/dashboards")
    async def every_dashboard() -> Response:
        return _json(dashboards)

    @router.get("/dashboards/{uid}/data")
    async def data(uid: str, span: Span = 3_600, namespace: Namespaces = None) -> Response:
        dashboard = BY_UID.get(uid)
        if dashboard is None:
            return _relayed(refusal(404, "There is nothing here", f"No dashboard is called {uid}."))
        now_ms = parts.clock.now_ms()
        frame = build_frame(
            now_ms=now_ms,
            span_s=span,
            scrape_interval_s=parts.scrape_interval_s,
            namespaces=namespace or (),
        )
        return _json(await read_dashboard(parts.prometheus, dashboard, frame, now_ms=now_ms))

    @router.get("/alerts")
    async def alerts() -> Response:
        return _json(await read_alerts(parts.prometheus, parts.alertmanager, parts.shelf))

    @router.get("/targets")
    async def targets() -> Response:
        return _json(await read_targets(parts.prometheus, now_ms=parts.clock.now_ms()))

    return router


def _operator_routes(relay: Relay) -> APIRouter:
    router = APIRouter(prefix="/api/operator")

    @router.get("/{collection}")
    async def listed(collection: str, request: Request) -> Response:
        query = dict(request.query_params)
        return _relayed(await relay.read(_token(request), collection, None, query))

    @router.get("/{collection}/{item}")
    async def one(collection: str, item: str, request: Request) -> Response:
        return _relayed(await relay.read(_token(request), collection, item, {}))

    @router.post("/dead-letters/{item}/{act}")
    async def act(item: str, act: str, request: Request) -> Response:
        body = b""
        async for chunk in request.stream():
            body += chunk
            if len(body) > BODY_BYTES_MAX:
                return _relayed(refusal(413, "The body is too large", "A reason is shorter."))
        return _relayed(await relay.act(_token(request), item, act, body))

    return router


def _token(request: Request) -> str | None:
    return request.headers.get("authorization")


def _relayed(answer: Relayed) -> Response:
    headers = {"cache-control": "no-store"}
    return Response(answer.body, answer.status, media_type=answer.content_type, headers=headers)


def _page_routes(pages: Pages) -> APIRouter:
    """Serve the frames that the front end draws into."""
    router = APIRouter()

    def frame(path: str, name: str, title: str) -> None:
        async def show() -> HTMLResponse:
            return HTMLResponse(pages.drawn(name, title))

        router.add_api_route(path, show)

    frame("/alerts", "alerts", "Alerts")
    frame("/targets", "targets", "Targets")
    frame("/commands", "commands", "Commands")
    frame("/dead-letters", "dead-letters", "Dead letters")

    @router.get("/")
    async def first() -> RedirectResponse:
        return RedirectResponse(f"/dashboards/{BACKEND_DASHBOARD}", HTTPStatus.TEMPORARY_REDIRECT)

    @router.get("/d/{uid}")
    async def short(uid: str) -> RedirectResponse:
        return RedirectResponse(f"/dashboards/{quote(uid)}", HTTPStatus.PERMANENT_REDIRECT)

    @router.get("/dashboards/{uid}")
    async def dashboard(uid: str) -> HTMLResponse:
        return _found(lambda: pages.dashboard(uid), pages, f"No dashboard is called {uid}.")

    @router.get("/commands/{command_id}")
    async def command(command_id: str) -> HTMLResponse:
        return HTMLResponse(pages.drawn("command", f"Command {command_id}", command_id))

    return router


def _file_routes(pages: Pages) -> APIRouter:
    """Serve what needs no script: runbooks, the front end itself, and, last, all else."""
    router = APIRouter()

    @router.get("/runbooks")
    async def runbooks() -> HTMLResponse:
        return HTMLResponse(pages.runbooks())

    @router.get("/runbooks/{name}")
    async def runbook(name: str) -> HTMLResponse:
        return _found(lambda: pages.runbook(name), pages, f"No alert is called {name}.")

    @router.get("/static/{name}")
    async def file(name: str) -> Response:
        found = pages.files.get(name)
        if found is None:
            return HTMLResponse(pages.missing("No such file."), HTTPStatus.NOT_FOUND)
        headers = {"cache-control": "no-cache"}
        return Response(found.body, media_type=found.content_type, headers=headers)

    @router.get("/{path:path}")
    async def nothing(path: str) -> HTMLResponse:
        return HTMLResponse(pages.missing(f"No page is called /{path}."), HTTPStatus.NOT_FOUND)

    return router


def _found(page: Callable[[], str], pages: Pages, otherwise: str) -> HTMLResponse:
    try:
        return HTMLResponse(page())
    except KeyError:
        return HTMLResponse(pages.missing(otherwise), HTTPStatus.NOT_FOUND)
