"""What became of commands: one of them, many, waited for, or as a stream."""

import re
from typing import Final

import msgspec

from gx.api.bodies import read_object
from gx.api.event_stream import StatusStreams
from gx.api.exchange import Exchange
from gx.api.paging import PARAMETERS, build_page, read_page, unusable_cursor
from gx.api.principal import Caller
from gx.api.problems import RequestRefusedError
from gx.api.route_table import FOLLOW_COMMAND, LIST_COMMANDS, QUERY_COMMANDS, SHOW_COMMAND
from gx.api.routes import Handler, require_caller
from gx.api.settings import EdgeSettings
from gx.api.status_body import status_body
from gx.api.watcher import CommandWatcher
from gx.domain.codec import JsonValue
from gx.domain.command_status import CommandStatus
from gx.domain.identifiers import CommandId
from gx.domain.refusals import RefusalCode, RefusedError
from gx.outbox.ports import CommandReader, CommandView

AWAITED: Final = (CommandStatus.COMMITTED, CommandStatus.PROJECTED)

_COMMAND_ID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_SECONDS: Final = re.compile(r"[0-9]{1,3}(\.[0-9]{1,20})?(e-[0-9]{1,3})?", re.ASCII)


class CommandDesk:
    """Answers for commands. Owners see their own, administrators all."""

    def __init__(
        self,
        reader: CommandReader,
        *,
        watcher: CommandWatcher,
        streams: StatusStreams,
        settings: EdgeSettings,
    ) -> None:
        self._reader = reader
        self._watcher = watcher
        self._streams = streams
        self._settings = settings

    def handlers(self) -> dict[str, Handler]:
        """Return the handler of each of its routes, by the route's name."""
        return {
            SHOW_COMMAND.name: self.show,
            FOLLOW_COMMAND.name: self.follow,
            LIST_COMMANDS.name: self.list_commands,
            QUERY_COMMANDS.name: self.query,
        }

    async def show(self, exchange: Exchange) -> None:
        """Answer with one command, at once or after waiting for `wait=`.

        Raises:
            RefusedError: NOT_FOUND, FORBIDDEN or ARGUMENT_INVALID.
            CommandGoneError: it has left retention.
        """
        values = exchange.query_values(("wait", "timeout"))
        wanted = _read_wanted(values.get("wait"))
        timeout_s = self._read_timeout_s(values.get("timeout"))
        view = await self._find_own(exchange)
        if wanted is not None:
            exchange.is_waiting = True
            if self._watcher.waiting < self._settings.waits_max:
                view = await self._watcher.wait(view, wanted, timeout_s=timeout_s)
        await exchange.reply(200, msgspec.json.encode(status_body(view)))

    async def follow(self, exchange: Exchange) -> None:
        """Answer with a stream of one command's statuses; raises as `show` does."""
        exchange.is_streaming = True
        exchange.query_values(())
        await self._streams.send(exchange, await self._find_own(exchange))

    async def list_commands(self, exchange: Exchange) -> None:
        """Answer with a page of commands.

        Raises:
            RefusedError: ARGUMENT_INVALID for an unknown status or an impossible page.
        """
        values = exchange.query_values(("status", *PARAMETERS))
        page = read_page(values, self._settings)
        views = await self._reader.list_by_status(
            _read_status(values.get("status")),
            limit=page.limit + 1,
            after=read_cursor(page.cursor),
        )
        shown = views[: page.limit]
        is_last = len(views) <= page.limit
        body = build_page(
            [status_body(view) for view in shown],
            next_cursor=None if is_last else shown[-1].command_id,
        )
        await exchange.reply(200, msgspec.json.encode(body))

    async def query(self, exchange: Exchange) -> None:
        """Answer with those of the named commands that are known.

        Raises:
            RefusedError: ARGUMENT_INVALID for a body that names no list of command ids.
        """
        body = await read_object(exchange, bytes_max=self._settings.body_bytes_max)
        command_ids = _read_command_ids(body.get("commandIds"), self._settings.lookup_max)
        if body.keys() != {"commandIds"} or command_ids is None:
            raise RequestRefusedError(
                RefusalCode.ARGUMENT_INVALID,
                f"send {{commandIds}}: a list of 1 to {self._settings.lookup_max} command ids",
            )
        views = await self._reader.find_many(command_ids)
        page = build_page([status_body(view) for view in views], next_cursor=None)
        await exchange.reply(200, msgspec.json.encode(page))

    async def _find_own(self, exchange: Exchange) -> CommandView:
        command_id = read_command_id(exchange)
        view = await self._reader.find(command_id)
        if view is None:
            raise unknown_command(command_id)
        _require_owner(require_caller(exchange), view)
        return view

    def _read_timeout_s(self, text: str | None) -> float:
        if text is None:
            return self._settings.wait_timeout_default_s
        longest_s = self._settings.wait_timeout_max_s
        if _SECONDS.fullmatch(text) is None or float(text) > longest_s:
            raise RequestRefusedError(
                RefusalCode.ARGUMENT_INVALID,
                f"timeout must be seconds from 0 to {longest_s:g}, got {text[:20]!r}",
            )
        return float(text)


def read_command_id(exchange: Exchange) -> CommandId:
    """Return the command id of the path.

    Raises:
        RefusedError: NOT_FOUND for what cannot be one.
    """
    text = exchange.path_values["commandId"]
    if _COMMAND_ID.fullmatch(text) is None:
        raise unknown_command(text[:80])
    return CommandId(text)


def read_cursor(cursor: str | None) -> CommandId | None:
    """Return the command after which a page begins.

    Raises:
        RequestRefusedError: ARGUMENT_INVALID for what cannot be one.
    """
    if cursor is None:
        return None
    if _COMMAND_ID.fullmatch(cursor) is None:
        raise unusable_cursor()
    return CommandId(cursor)


def unknown_command(command_id: str) -> RefusedError:
    """Refuse to know a command."""
    return RefusedError(RefusalCode.NOT_FOUND, f"there is no command {command_id!r}")


def _require_owner(caller: Caller, view: CommandView) -> None:
    principal = caller.principal
    if principal.is_admin or caller.actor == view.actor or principal.subject == view.subject:
        return
    raise RefusedError(
        RefusalCode.FORBIDDEN, f"command {view.command_id} belongs to another subject and actor"
    )


def _read_wanted(text: str | None) -> CommandStatus | None:
    if text is None:
        return None
    if text not in AWAITED:
        raise RequestRefusedError(
            RefusalCode.ARGUMENT_INVALID,
            f"wait must be {' or '.join(AWAITED)}, got {text[:40]!r}",
        )
    return CommandStatus(text)


def _read_status(text: str | None) -> CommandStatus | None:
    if text is None:
        return None
    try:
        return CommandStatus(text)
    except ValueError as error:
        raise RequestRefusedError(
            RefusalCode.ARGUMENT_INVALID,
            f"status must be one of {', '.join(CommandStatus)}, got {text[:40]!r}",
        ) from error


def _read_command_ids(value: JsonValue, most: int) -> list[CommandId] | None:
    if not isinstance(value, list) or not 1 <= len(value) <= most:
        return None
    texts = [item for item in value if isinstance(item, str) and _COMMAND_ID.fullmatch(item)]
    if len(texts) != len(value):
        return None
    return [CommandId(text) for text in dict.fromkeys(texts)]
