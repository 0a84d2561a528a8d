"""Sends requests over kept-alive connections, again where that is safe, and types the failures."""

import asyncio
import random
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final

import httpx

from gx.client.errors import (
    AddressError,
    ApiUnreachableError,
    ProblemError,
    UnexpectedAnswerError,
)
from gx.client.requests import Request
from gx.client.retry import DEFAULT_POLICY, RetryPolicy, may_repeat, parse_retry_after_s
from gx.domain.codec import DecodeError, JsonObject, decode_object

_ERROR_FROM: Final = 400
_EXCERPT_CHARACTERS: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientSettings:
    """Where the API is, who asks, and how patiently. `base_url` has no path: `http://host:8000`.

    `answer_timeout_s` bounds the wait for an answer; a long poll adds its own time to it.
    """

    base_url: str
    token: str | None = field(default=None, repr=False)
    connect_timeout_s: float = 5.0
    answer_timeout_s: float = 15.0
    connections_max: int = 20
    retry: RetryPolicy = DEFAULT_POLICY

    def __post_init__(self) -> None:
        """Refuse an address that no request could go to.

        Raises:
            AddressError: it is not `http://host:port` or `https://host`.
        """
        try:
            address = httpx.URL(self.base_url)
        except httpx.InvalidURL as error:
            raise AddressError(self.base_url) from error
        if address.scheme not in ("http", "https") or not address.host or address.path != "/":
            raise AddressError(self.base_url)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A successful answer: its JSON object, and the block up to which the read models stood."""

    body: JsonObject
    block_number: int | None


class Transport:
    """One pool of connections to one API."""

    def __init__(
        self,
        settings: ClientSettings,
        *,
        http: httpx.AsyncBaseTransport | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        fraction: Callable[[], float] = random.random,
    ) -> None:
        headers = {"Accept": "application/json"}
        if settings.token:
            headers["Authorization"] = f"Bearer {settings.token}"
        self.settings = settings
        self._sleep = sleep
        self._fraction = fraction
        self._http = httpx.AsyncClient(
            base_url=settings.base_url,
            headers=headers,
            transport=http,
            verify=_trusted(settings.base_url),
            trust_env=False,  # a proxy of the environment must not see tokens meant for loopback
            limits=httpx.Limits(
                max_connections=settings.connections_max,
                max_keepalive_connections=settings.connections_max,
            ),
        )

    async def close(self) -> None:
        """Release the connections."""
        await self._http.aclose()

    async def send(self, request: Request) -> Answer:
        """Send the request until an answer stands, within the retry policy.

        Raises:
            ApiUnreachableError: no complete answer came.
            ProblemError: the API refused.
            UnexpectedAnswerError: the answer is none of this API's.
        """
        attempt = 0
        while True:
            attempt += 1
            outcome = await self._try(request)
            if isinstance(outcome, httpx.Response):
                delay_s = self._delay_after_answer(outcome, request, attempt)
                if delay_s is None:
                    return _read_answer(outcome, request)
            else:
                delay_s = self._delay_after_failure(outcome, request, attempt)
                if delay_s is None:
                    raise ApiUnreachableError(
                        self.settings.base_url, _describe(outcome), attempts=attempt
                    ) from outcome
            await self._sleep(delay_s)

    @asynccontextmanager
    async def open_stream(self, request: Request) -> AsyncIterator[AsyncIterator[str]]:
        """Open a long answer and yield its lines; a broken stream is the caller's to reopen.

        Raises:
            ApiUnreachableError: the stream could not be opened, or broke.
            ProblemError: the API refused.
        """
        try:
            async with self._http.stream(
                request.method,
                request.path,
                headers={**request.headers, "Accept": "text/event-stream"},
                timeout=self._timeout(request),
            ) as response:
                if response.status_code >= _ERROR_FROM:
                    await response.aread()
                    _read_answer(response, request)
                yield response.aiter_lines()
        except httpx.TransportError as error:
            raise ApiUnreachableError(
                self.settings.base_url, _describe(error), attempts=1
            ) from error

    async def pause(self, failures: int, error: ApiUnreachableError) -> None:
        """Wait before the next attempt after that many failures in a row.

        Raises:
            ApiUnreachableError: `error`, when the policy allows no further attempt.
        """
        delay_s = self.settings.retry.delay_s(failures, retry_after_s=0, fraction=self._fraction())
        if delay_s is None:
            raise error
        await self._sleep(delay_s)

    async def _try(self, request: Request) -> httpx.Response | httpx.TransportError:
        try:
            return await self._http.request(
                request.method,
                request.path,
                content=request.body,
                headers=dict(request.headers),
                timeout=self._timeout(request),
            )
        except httpx.TransportError as error:
            return error

    def _timeout(self, request: Request) -> httpx.Timeout:
        return httpx.Timeout(
            self.settings.answer_timeout_s + request.extra_wait_s,
            connect=self.settings.connect_timeout_s,
        )

    def _delay_after_answer(
        self, response: httpx.Response, request: Request, attempt: int
    ) -> float | None:
        if not may_repeat(response.status_code, is_repeatable=request.is_repeatable):
            return None
        return self.settings.retry.delay_s(
            attempt,
            retry_after_s=parse_retry_after_s(response.headers.get("Retry-After")),
            fraction=self._fraction(),
        )

    def _delay_after_failure(
        self, error: httpx.TransportError, request: Request, attempt: int
    ) -> float | None:
        was_surely_not_sent = isinstance(error, httpx.ConnectError | httpx.ConnectTimeout)
        if not request.is_repeatable and not was_surely_not_sent:
            return None
        return self.settings.retry.delay_s(attempt, retry_after_s=0, fraction=self._fraction())


def _trusted(base_url: str) -> ssl.SSLContext:
    """Trust the machine's authorities; over plain HTTP nobody, which is 50 ms quicker to set up."""
    if httpx.URL(base_url).scheme == "https":
        return ssl.create_default_context()
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def _describe(error: httpx.TransportError) -> str:
    return str(error) or type(error).__name__


def _read_answer(response: httpx.Response, request: Request) -> Answer:
    try:
        body = decode_object(response.text)
    except DecodeError as error:
        excerpt = response.text[:_EXCERPT_CHARACTERS]
        raise UnexpectedAnswerError(
            str(request), f"status {response.status_code}, {excerpt!r}"
        ) from error
    if response.status_code >= _ERROR_FROM:
        raise _problem(response.status_code, body, request)
    block = response.headers.get("X-GX-Block", "")
    return Answer(body=body, block_number=int(block) if block.lstrip("-").isdigit() else None)


def _problem(status: int, body: JsonObject, request: Request) -> Exception:
    code, detail = body.get("code"), body.get("detail", "")
    if not isinstance(code, str) or not isinstance(detail, str):
        return UnexpectedAnswerError(str(request), f"status {status} without a problem's code")
    return ProblemError(status=status, code=code, detail=detail, request=str(request))
