"""Prometheus, Alertmanager and the API as the console meets them: small servers in this process."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

import httpx
from fastapi import FastAPI

from gx.console.app import Collaborators, create_app
from gx.console.pages import Pages
from gx.console.prometheus import Prometheus
from gx.console.relay import Relay
from gx.console.runbooks import RunbookShelf
from gx.console.sources import Source
from gx.domain.codec import JsonObject, JsonValue

NOW_S = 1_795_300_000
PROMETHEUS = "http://prometheus.test"
ALERTMANAGER = "http://alertmanager.test"
API = "http://api.test"

Answer: TypeAlias = Callable[[httpx.Request], httpx.Response]


class StoppedClock:
    """Tells one moment."""

    def now_ms(self) -> int:
        """Return it."""
        return NOW_S * 1_000


def success(data: JsonValue) -> httpx.Response:
    """Answer as Prometheus does."""
    return httpx.Response(200, json={"status": "success", "data": data})


def vector(*samples: tuple[Mapping[str, str], str]) -> httpx.Response:
    """Answer an instant query."""
    result: list[JsonValue] = [
        {"metric": dict[str, JsonValue](labels), "value": [NOW_S, value]}
        for labels, value in samples
    ]
    return success({"resultType": "vector", "result": result})


@dataclass(slots=True)
class FakeSources:
    """Answers by host and path; what has no answer is away. Remembers what it was asked."""

    answers: dict[str, Answer] = field(default_factory=dict)
    asked: list[httpx.Request] = field(default_factory=list)

    def answer(self, url: str, how: Answer | httpx.Response) -> None:
        """Answer an address from now on."""
        self.answers[url] = how if callable(how) else lambda _: how

    def handle(self, request: httpx.Request) -> httpx.Response:
        """Answer one request."""
        self.asked.append(request)
        url = f"{request.url.scheme}://{request.url.host}{request.url.path}"
        if url not in self.answers:
            raise httpx.ConnectError("refused", request=request)
        return self.answers[url](request)

    def queries(self) -> list[str]:
        """Return the queries that Prometheus was asked."""
        return [
            request.url.params["query"] for request in self.asked if "query" in request.url.params
        ]


def build_console(sources: FakeSources, hosts: frozenset[str] = frozenset()) -> FastAPI:
    """Build the application in front of these sources."""
    client = httpx.AsyncClient(transport=httpx.MockTransport(sources.handle))
    api = Source("The API", API, client)
    shelf = RunbookShelf.open()
    return create_app(
        Collaborators(
            prometheus=Prometheus(Source("Prometheus", PROMETHEUS, client)),
            alertmanager=Source("Alertmanager", ALERTMANAGER, client),
            api=api,
            relay=Relay(api, client),
            shelf=shelf,
            pages=Pages(shelf),
            clock=StoppedClock(),
            environment="devnet",
            scrape_interval_s=15,
            hosts=hosts,
        )
    )


def browser_of(app: FastAPI, host: str = "127.0.0.1:30300") -> httpx.AsyncClient:
    """Return a client that talks to the application by this name."""
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=f"http://{host}")


def an_alert(name: str, state: str, severity: str, active_at: str) -> JsonObject:
    """Build an alerting rule with one active alert, as Prometheus lists it."""
    labels: JsonObject = {"alertname": name, "severity": severity, "namespace": "backend-devnet"}
    alert: JsonObject = {
        "labels": labels,
        "annotations": {"summary": f"{name} happens.", "description": "It is 7."},
        "state": state,
        "activeAt": active_at,
        "value": "7e+00",
    }
    return {
        "name": name,
        "query": "up == 0",
        "duration": 60,
        "labels": {"severity": severity},
        "annotations": {"summary": f"{name} happens."},
        "alerts": [alert],
        "health": "ok",
        "state": state,
        "type": "alerting",
    }
