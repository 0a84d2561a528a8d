"""What operators do with commands that were given up: look, replay, discard."""

from typing import Final

import msgspec

from gx.api.bodies import read_object
from gx.api.command_status import read_command_id, read_cursor
from gx.api.exchange import Exchange
from gx.api.paging import PARAMETERS, build_page, read_page
from gx.api.problems import RequestRefusedError
from gx.api.route_table import DISCARD_LETTER, LIST_LETTERS, REPLAY_LETTER, SHOW_LETTER
from gx.api.routes import Handler, require_caller
from gx.api.settings import EdgeSettings
from gx.api.status_body import accepted_body, dead_letter_body, status_url
from gx.domain.arguments import Argument, Text
from gx.domain.codec import JsonObject
from gx.domain.command_status import CommandStatus
from gx.domain.identifiers import CommandId
from gx.domain.refusals import RefusalCode, RefusedError
from gx.outbox.ports import DeadLetter, DeadLetters

REASON: Final = Argument(
    name="reason",
    kind=Text(minimum=10, maximum=500),
    description="Why; it is kept in the audit with who did it.",
    example="The ledger was repaired; see incident 12",
)


class DeadLetterDesk:
    """Answers for dead letters; every act is audited by the store with subject and reason."""

    def __init__(self, letters: DeadLetters, *, settings: EdgeSettings) -> None:
        self._letters = letters
        self._settings = settings

    def handlers(self) -> dict[str, Handler]:
        """Return the handler of each of its routes, by the route's name."""
        return {
            LIST_LETTERS.name: self.list_letters,
            SHOW_LETTER.name: self.show,
            REPLAY_LETTER.name: self.replay,
            DISCARD_LETTER.name: self.discard,
        }

    async def list_letters(self, exchange: Exchange) -> None:
        """Answer with a page of letters; ARGUMENT_INVALID for an impossible page."""
        page = read_page(exchange.query_values(PARAMETERS), self._settings)
        letters = await self._letters.list_dead(
            limit=page.limit + 1, after=read_cursor(page.cursor)
        )
        shown = letters[: page.limit]
        is_last = len(letters) <= page.limit
        body = build_page(
            [dead_letter_body(letter) for letter in shown],
            next_cursor=None if is_last else shown[-1].command_id,
        )
        await exchange.reply(200, msgspec.json.encode(body))

    async def show(self, exchange: Exchange) -> None:
        """Answer with one letter; NOT_FOUND if there is none."""
        letter = await self._find(read_command_id(exchange))
        await exchange.reply(200, msgspec.json.encode(dead_letter_body(letter)))

    async def replay(self, exchange: Exchange) -> None:
        """Replay a letter: 202, as for a new command.

        Raises:
            RefusedError: NOT_FOUND, DEAD_LETTER_STATE, or ARGUMENT_INVALID without a reason.
        """
        command_id, actor, reason = await self._read_act(exchange)
        if not await self._letters.replay(command_id, actor=actor, reason=reason):
            await self._refuse(command_id)
        body = accepted_body(command_id, CommandStatus.PENDING)
        headers = [(b"location", status_url(command_id).encode())]
        await exchange.reply(202, msgspec.json.encode(body), headers)

    async def discard(self, exchange: Exchange) -> None:
        """Discard a letter; raises as `replay` does."""
        command_id, actor, reason = await self._read_act(exchange)
        if not await self._letters.discard(command_id, actor=actor, reason=reason):
            await self._refuse(command_id)
        body = accepted_body(command_id, CommandStatus.DISCARDED)
        await exchange.reply(200, msgspec.json.encode(body))

    async def _read_act(self, exchange: Exchange) -> tuple[CommandId, str, str]:
        command_id = read_command_id(exchange)
        body = await read_object(exchange, bytes_max=self._settings.body_bytes_max)
        return command_id, require_caller(exchange).principal.subject, _read_reason(body)

    async def _refuse(self, command_id: CommandId) -> None:
        letter = await self._find(command_id)
        raise RefusedError(
            RefusalCode.DEAD_LETTER_STATE, f"the dead letter {command_id} was {letter.state}"
        )

    async def _find(self, command_id: CommandId) -> DeadLetter:
        letter = await self._letters.find(command_id)
        if letter is None:
            raise RefusedError(RefusalCode.NOT_FOUND, f"there is no dead letter {command_id}")
        return letter


def _read_reason(body: JsonObject) -> str:
    if body.keys() != {REASON.name}:
        raise RequestRefusedError(
            RefusalCode.ARGUMENT_INVALID, f"send {{{REASON.name}}}: {REASON.description}"
        )
    return REASON.kind.to_text(REASON.name, body[REASON.name])
