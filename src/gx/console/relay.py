"""Hands an operator's request to the API, with the operator's own token, and the answer back.

Only the routes that the page needs are there. The console has no rights of its own and keeps no
token: whoever has none can do nothing here that the API would refuse.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import httpx
import msgspec
import structlog

from gx.console.sources import TIMEOUT, Source

_log: Final = structlog.get_logger(__name__)

API_PREFIX: Final = "/api/v1"
BODY_BYTES_MAX: Final = 8_192
PROBLEM: Final = "application/problem+json"
_ID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_BEARER: Final = re.compile(r"Bearer [A-Za-z0-9._~+/=-]{1,8192}")
_ACTS: Final = ("replay", "discard")
_COLLECTIONS: Final = ("commands", "dead-letters")


@dataclass(frozen=True, slots=True)
class Relayed:
    """The API's answer, or the console's own refusal."""

    status: int
    content_type: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Asked:
    """One request to the API."""

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None


class Relay:
    """Talks to one API."""

    def __init__(self, api: Source, client: httpx.AsyncClient) -> None:
        self._api = api
        self._client = client

    async def read(
        self, token: str | None, collection: str, item: str | None, query: Mapping[str, str]
    ) -> Relayed:
        """Read a list (`commands`, `dead-letters`) or one item of it."""
        if collection not in _COLLECTIONS or (item is not None and not _ID.fullmatch(item)):
            return refusal(404, "There is nothing here", "No such list, or no id of a command.")
        path = f"{API_PREFIX}/{collection}" + (f"/{item}" if item else "")
        return await self._send(token, Asked("GET", path, query=query))

    async def act(self, token: str | None, item: str, act: str, body: bytes) -> Relayed:
        """Replay or discard a dead letter; the API audits it with the token's subject."""
        if act not in _ACTS or not _ID.fullmatch(item):
            return refusal(404, "There is nothing here", "Replay or discard, and a command's id.")
        path = f"{API_PREFIX}/dead-letters/{item}/{act}"
        answer = await self._send(token, Asked("POST", path, body=body))
        _log.info("dead_letter_act_relayed", command_id=item, act=act, status=answer.status)
        return answer

    async def _send(self, token: str | None, asked: Asked) -> Relayed:
        if token is None or not _BEARER.fullmatch(token):
            return refusal(401, "A token is needed", "Enter the operator's token first.")
        headers = {"Authorization": token, "Accept": "application/json"}
        if asked.body is not None:
            headers["Content-Type"] = "application/json"
        try:
            answer = await self._client.request(
                asked.method,
                self._api.url + asked.path,
                params=dict(asked.query),
                content=asked.body,
                headers=headers,
                timeout=TIMEOUT,
            )
        except httpx.HTTPError:
            return refusal(
                502,
                "The API is away",
                f"{self._api.url} does not answer. Nothing is known to have happened; "
                "look again before you repeat it.",
            )
        kind = answer.headers.get("content-type", "application/json")
        return Relayed(answer.status_code, kind, answer.content)


def refusal(status: int, title: str, detail: str) -> Relayed:
    """Refuse as the API would, with a problem document."""
    body = msgspec.json.encode({"title": title, "status": status, "detail": detail})
    return Relayed(status, PROBLEM, body)
