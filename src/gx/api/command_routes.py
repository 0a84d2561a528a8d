"""The write routes: one for each command of the catalogue, generated from its declaration."""

from collections.abc import Mapping
from typing import Final

import msgspec

from gx.api.bodies import read_object
from gx.api.command_forms import CommandForm
from gx.api.exchange import Exchange, Headers
from gx.api.idempotency import mark_of
from gx.api.ports import CommandGate
from gx.api.principal import Caller
from gx.api.problems import RequestRefusedError
from gx.api.route_table import command_route
from gx.api.routes import Handler, require_caller
from gx.api.settings import EdgeSettings
from gx.api.status_body import accepted_body, status_url
from gx.api.tracing import trace_parent_of
from gx.domain.catalogue import COMMANDS
from gx.domain.command_status import CommandStatus
from gx.domain.commands import CommandSpec
from gx.domain.identifiers import CommandId
from gx.domain.refusals import RefusalCode, RefusedError
from gx.domain.roles import signing_role
from gx.outbox.ports import Acceptance, AcceptanceKind, CommandReader, NewCommand

_REPLAYED: Final = ((b"idempotent-replayed", b"true"),)


class CommandHandler:
    """Answers one write route: authenticated request in, durable command and 202 out."""

    def __init__(
        self,
        spec: CommandSpec,
        *,
        gate: CommandGate,
        reader: CommandReader,
        settings: EdgeSettings,
    ) -> None:
        self._spec = spec
        self._form = CommandForm(spec)
        self._gate = gate
        self._reader = reader
        self._body_bytes_max = settings.body_bytes_max
        self._template = command_route(spec).path

    async def __call__(self, exchange: Exchange) -> None:
        """Accept the command.

        Raises:
            RefusedError: the request is statically wrong, or its key stands for another one.
            BacklogFullError: nothing was stored.
        """
        caller = require_caller(exchange)
        body = await read_object(exchange, bytes_max=self._body_bytes_max)
        arguments = self._form.read(body, exchange.path_values)
        self._spec.require_role(signing_role(caller.principal.role), arguments)
        self._require_actor(caller, arguments)
        command = self._build(exchange, caller, arguments)
        acceptance = await self._gate.accept(command)
        if acceptance.kind is AcceptanceKind.NEW:
            await _reply(exchange, acceptance.command_id, CommandStatus.PENDING)
        elif acceptance.kind is AcceptanceKind.REPEATED:
            await self._reply_again(exchange, acceptance.command_id)
        else:
            raise _key_reused(acceptance)

    async def _reply_again(self, exchange: Exchange, command_id: CommandId) -> None:
        earlier = await self._reader.find(command_id)
        status = CommandStatus.PENDING if earlier is None else earlier.status
        await _reply(exchange, command_id, status, _REPLAYED)

    def _require_actor(self, caller: Caller, arguments: Mapping[str, str]) -> None:
        # The ledger is told the actor alone: in somebody else's name, administrators could
        # approve what they asked for themselves.
        if self._spec.access.is_administrative and caller.actor != caller.principal.subject:
            raise RefusedError(
                RefusalCode.ACTOR_MISMATCH,
                f"{self._spec.wire_name} is done in one's own name: leave X-On-Behalf-Of out",
            )
        name = self._spec.actor_argument
        if name is not None:
            caller.require_actor(arguments[name])

    def _build(
        self, exchange: Exchange, caller: Caller, arguments: Mapping[str, str]
    ) -> NewCommand:
        spec = self._spec
        mark = mark_of(exchange, caller, template=self._template, arguments=arguments)
        return NewCommand(
            command_type=spec.wire_name,
            arguments=arguments,
            actor=caller.actor,
            subject=caller.principal.subject,
            role=signing_role(caller.principal.role),
            scopes=spec.scopes(arguments, caller.actor),
            key_hash=mark.key_hash,
            fingerprint=mark.fingerprint,
            trace_parent=trace_parent_of(exchange),
        )


def command_handlers(
    gate: CommandGate, reader: CommandReader, settings: EdgeSettings
) -> dict[str, Handler]:
    """Return the handler of each command's route, by the route's name."""
    return {
        command_route(spec).name: CommandHandler(spec, gate=gate, reader=reader, settings=settings)
        for spec in COMMANDS.values()
    }


def _key_reused(acceptance: Acceptance) -> RequestRefusedError:
    return RequestRefusedError(
        RefusalCode.IDEMPOTENCY_KEY_REUSED,
        f"the key was used before with another request (command {acceptance.command_id}); "
        "a new request needs a new key",
    )


async def _reply(
    exchange: Exchange, command_id: CommandId, status: CommandStatus, headers: Headers = ()
) -> None:
    location = (b"location", status_url(command_id).encode())
    body = msgspec.json.encode(accepted_body(command_id, status))
    await exchange.reply(202, body, (location, *headers))
