"""A look at a target from here: what answers, without Prometheus in between."""

import socket
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

import httpx

_TIMEOUT_S: Final = 2.0
_DEFAULT_PORTS: Final = {"http": 80, "https": 443}
_METRIC_MARKS: Final = ("# HELP ", "# TYPE ")
_BODY_BYTES_MAX: Final = 65_536


@dataclass(frozen=True, slots=True)
class Seen:
    """What an address answered: a status and how its body begins; None is no answer."""

    status: int | None
    content_type: str = ""
    beginning: str = ""

    @property
    def is_metrics(self) -> bool:
        """Whether it is an exposition."""
        has_marks = any(mark in self.beginning for mark in _METRIC_MARKS)
        return self.status == httpx.codes.OK and has_marks


def is_open(url: str) -> bool:
    """Say whether somebody takes a connection at a URL's host and port."""
    parts = urlsplit(url)
    port = parts.port or _DEFAULT_PORTS.get(parts.scheme, 80)
    try:
        with socket.create_connection((parts.hostname or "", port), timeout=_TIMEOUT_S):
            return True
    except OSError:
        return False


def look_at(url: str) -> Seen:
    """Ask an address once, without following anything, and read the beginning of its answer."""
    try:
        with (
            httpx.Client(timeout=_TIMEOUT_S, trust_env=False, verify=False) as client,  # noqa: S501 (what answers is looked at, and nothing is told it) # nosec B501
            client.stream("GET", url) as response,
        ):
            body = b""
            for chunk in response.iter_bytes():
                body += chunk
                if len(body) >= _BODY_BYTES_MAX:
                    break
            text = body.decode(errors="replace")
            return Seen(response.status_code, response.headers.get("content-type", ""), text)
    except (httpx.HTTPError, httpx.InvalidURL):
        return Seen(None)
