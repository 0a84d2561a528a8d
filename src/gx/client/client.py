"""The asynchronous client: commands, queries, waiting, watching, dead letters."""

import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Final, Self
from uuid import uuid4

from typing_extensions import override

from gx.client.answers import AcceptedCommand, Command, DeadLetter
from gx.client.commands import CommandMethods
from gx.client.errors import ApiUnreachableError, UnexpectedAnswerError, WaitTimeoutError
from gx.client.event_stream import parse_data
from gx.client.paging import Page, parse_page
from gx.client.queries import QueryMethods
from gx.client.records import parse_record
from gx.client.requests import (
    API_PREFIX,
    ON_BEHALF_OF,
    Request,
    build_command,
    build_post,
    build_query,
)
from gx.client.transport import Answer, ClientSettings, Transport
from gx.domain.codec import DecodeError, JsonValue
from gx.domain.command_status import CommandStatus
from gx.domain.identifiers import CommandId

POLL_MAX_S: Final = 25.0
"""How long one long poll may take; proxies commonly cut an idle answer after 30 or 60 s."""

STREAM_IDLE_MAX_S: Final = 60.0
"""The API sends a comment more often than this; a longer silence is a broken stream."""

QUERY_IDS_MAX: Final = 500
"""How many commands the API looks up in one question."""


def new_idempotency_key() -> str:
    """Make a key that nobody else has."""
    return str(uuid4())


class GxClient(CommandMethods, QueryMethods):
    """Talks to one API with one token. Safe to use from many tasks of one event loop.

    Every method raises `ClientError`: see `gx.client.errors` for what each kind means.
    """

    def __init__(
        self,
        transport: Transport,
        *,
        on_behalf_of: str | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._transport = transport
        self._headers: Mapping[str, str] = {ON_BEHALF_OF: on_behalf_of} if on_behalf_of else {}
        self._monotonic = monotonic

    @property
    def settings(self) -> ClientSettings:
        """Return where this client sends its requests."""
        return self._transport.settings

    def acting_for(self, user_id: str) -> Self:
        """Return a client on the same connections whose requests act for that user.

        The token must allow it (its claim `act_for`); the API records both.
        """
        return type(self)(self._transport, on_behalf_of=user_id, monotonic=self._monotonic)

    async def close(self) -> None:
        """Release the connections."""
        await self._transport.close()

    @override
    async def submit(
        self, command_type: str, /, *, idempotency_key: str | None = None, **arguments: JsonValue
    ) -> AcceptedCommand:
        key = idempotency_key or new_idempotency_key()
        request = build_command(command_type, arguments, idempotency_key=key)
        return parse_record(AcceptedCommand, await self._send(request), request)

    async def find_command(self, command_id: CommandId) -> Command:
        """Return where the command stands."""
        return await self._find(command_id, {})

    async def find_commands(self, command_ids: Sequence[CommandId]) -> Sequence[Command]:
        """Return those of the commands that the API knows, at most 500; needs an administrator."""
        request = build_post(
            f"{API_PREFIX}/commands/query", {"commandIds": list[JsonValue](command_ids)}
        )
        return parse_page(Command, await self._send(request), request).items

    async def commands(
        self,
        *,
        status: CommandStatus | None = None,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> Page[Command]:
        """List commands, newest first; needs an administrator."""
        request = build_query("/commands", {}, {"status": status, "limit": limit, "cursor": cursor})
        return parse_page(Command, await self._send(request), request)

    async def wait_for(
        self, command_id: CommandId, status: CommandStatus | str, *, timeout_s: float = 30.0
    ) -> Command:
        """Wait until the command has reached `status` or any final one, and return it.

        Raises:
            WaitTimeoutError: it has reached neither; it goes on by itself.
        """
        wanted = CommandStatus(status)
        deadline_s = self._monotonic() + timeout_s
        while True:
            left_s = max(0.0, deadline_s - self._monotonic())
            command = await self._poll(command_id, wanted, min(left_s, POLL_MAX_S))
            if command.has_reached(wanted):
                return command
            if self._monotonic() >= deadline_s:
                raise WaitTimeoutError(command_id, command.status, timeout_s=timeout_s)

    async def watch(self, command_id: CommandId) -> AsyncIterator[Command]:
        """Yield the command at each change of its status, ending with a final one.

        A broken stream is opened again a few times in a row before the failure is raised.
        """
        failures = 0
        seen: CommandStatus | None = None
        while True:
            try:
                async for command in self._follow(command_id):
                    failures = 0
                    if command.status is not seen:
                        seen = command.status
                        yield command
                    if command.status.is_final:
                        return
            except ApiUnreachableError as error:
                failures += 1
                await self._transport.pause(failures, error)

    async def dead_letters(
        self, *, limit: int | None = None, cursor: str | None = None
    ) -> Page[DeadLetter]:
        """List the dead letters that nobody has handled, newest first."""
        request = build_query("/dead-letters", {}, {"limit": limit, "cursor": cursor})
        return parse_page(DeadLetter, await self._send(request), request)

    async def find_dead_letter(self, command_id: CommandId) -> DeadLetter:
        """Return one dead letter, handled or not."""
        request = build_query("/dead-letters/{id}", {"id": command_id}, {})
        return parse_record(DeadLetter, await self._send(request), request)

    async def replay_dead_letter(self, command_id: CommandId, *, reason: str) -> None:
        """Put the command back into the queue under its id; audited with the reason."""
        await self._handle_dead_letter(command_id, "replay", reason)

    async def discard_dead_letter(self, command_id: CommandId, *, reason: str) -> None:
        """Give the command up for good (DISCARDED); audited with the reason."""
        await self._handle_dead_letter(command_id, "discard", reason)

    @override
    async def _read(self, request: Request) -> Answer:
        return await self._send(request)

    async def _send(self, request: Request) -> Answer:
        return await self._transport.send(
            replace(request, headers={**request.headers, **self._headers})
        )

    async def _poll(self, command_id: CommandId, status: CommandStatus, wait_s: float) -> Command:
        parameters = {"wait": status.value, "timeout": f"{wait_s:.3f}"} if wait_s > 0 else {}
        return await self._find(command_id, parameters, extra_wait_s=wait_s)

    async def _find(
        self,
        command_id: CommandId,
        parameters: Mapping[str, str | int | None],
        *,
        extra_wait_s: float = 0.0,
    ) -> Command:
        request = build_query("/commands/{id}", {"id": command_id}, parameters)
        request = replace(request, extra_wait_s=extra_wait_s)
        return parse_record(Command, await self._send(request), request)

    async def _follow(self, command_id: CommandId) -> AsyncIterator[Command]:
        request = build_query("/commands/{id}/events", {"id": command_id}, {})
        request = replace(request, headers=self._headers, extra_wait_s=STREAM_IDLE_MAX_S)
        async with self._transport.open_stream(request) as lines:
            async for data in parse_data(lines):
                try:
                    yield Command.from_text(data)
                except DecodeError as error:
                    raise UnexpectedAnswerError(str(request), str(error)) from error
        raise ApiUnreachableError(self.settings.base_url, "the event stream ended", attempts=1)

    async def _handle_dead_letter(self, command_id: CommandId, act: str, reason: str) -> None:
        path = build_query(f"/dead-letters/{{id}}/{act}", {"id": command_id}, {}).path
        await self._send(build_post(path, {"reason": reason}, is_repeatable=False))


@asynccontextmanager
async def open_client(settings: ClientSettings) -> AsyncIterator[GxClient]:
    """Yield a client whose connections are released at the end."""
    client = GxClient(Transport(settings))
    try:
        yield client
    finally:
        await client.close()
