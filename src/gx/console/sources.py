"""The programs that the console reads from, and how it says that one of them is away."""

from collections.abc import Mapping, Sequence
from typing import Final

import httpx

from gx.domain.errors import GxError

TIMEOUT: Final = httpx.Timeout(10.0, connect=2.0)
READY_TIMEOUT: Final = httpx.Timeout(2.0)
REASON_CHARACTERS_MAX: Final = 300

Parameters = Mapping[str, str | Sequence[str]]


class SourceError(GxError):
    """A program that the console reads from is away or refused; the text says which and why."""


class SourceAwayError(SourceError):
    """It gave no answer."""


class SourceRefusedError(SourceError):
    """It answered that it cannot answer this."""


class Source:
    """One program, by its name for people and its address."""

    def __init__(self, name: str, url: str, client: httpx.AsyncClient) -> None:
        self.name = name
        self.url = url.rstrip("/")
        self._client = client

    async def get(self, path: str, parameters: Parameters | None = None) -> bytes:
        """Read a document.

        Raises:
            SourceAwayError: It does not answer.
            SourceRefusedError: It answers with an error.
        """
        query = {name: _plain(value) for name, value in (parameters or {}).items()}
        try:
            answer = await self._client.get(self.url + path, params=query, timeout=TIMEOUT)
        except httpx.HTTPError as error:
            raise SourceAwayError(
                f"{self.name} at {self.url} does not answer: {_describe(error)}"
            ) from error
        if answer.is_success:
            return answer.content
        said = answer.text.strip()[:REASON_CHARACTERS_MAX]
        if answer.is_server_error:
            raise SourceAwayError(f"{self.name} at {self.url} cannot answer: {said}")
        raise SourceRefusedError(f"{self.name} refused with {answer.status_code}: {said}")

    async def fault(self, path: str) -> str | None:
        """Ask a readiness path; say in a sentence what is wrong, None when nothing is."""
        try:
            answer = await self._client.get(self.url + path, timeout=READY_TIMEOUT)
        except httpx.HTTPError as error:
            return f"{self.name} at {self.url} does not answer: {_describe(error)}"
        if answer.is_success:
            return None
        return f"{self.name} at {self.url} is not ready: it answers {answer.status_code}"


def open_http() -> httpx.AsyncClient:
    """Open the connections to all sources; the caller closes them.

    A proxy of the environment is not asked: it must not see an operator's token.
    """
    limits = httpx.Limits(max_connections=40, max_keepalive_connections=20)
    return httpx.AsyncClient(trust_env=False, limits=limits)


def _plain(value: str | Sequence[str]) -> str | list[str]:
    return value if isinstance(value, str) else list(value)


def _describe(error: httpx.HTTPError) -> str:
    """Say why there was no answer; httpx leaves the text of some of its errors empty."""
    if isinstance(error, httpx.TimeoutException):
        return "it took too long"
    if isinstance(error, httpx.ConnectError):
        return "nobody listens there"
    return str(error) or type(error).__name__
