"""Sends a command, waits for its effect, and shows what became of it."""

import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from gx.cli.output import ProgressLine, progress, show, show_fields, show_json
from gx.cli.session import Target, talk
from gx.client.answers import AcceptedCommand, Command
from gx.client.client import GxClient
from gx.domain.codec import JsonValue
from gx.domain.command_status import CommandStatus
from gx.domain.roles import TokenRole

Submit = Callable[[GxClient], Awaitable[AcceptedCommand]]


@dataclass(frozen=True, slots=True)
class Timed:
    """A command whose effect was waited for, and how long that took since it was sent."""

    command: Command
    elapsed_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Sending:
    """How the user wants a command sent: the shared options of every writing subcommand."""

    url: str | None
    token: str | None
    wait: bool
    timeout_s: float
    as_json: bool

    def send(
        self,
        role: TokenRole,
        submit: Submit,
        *,
        acts_for: str | None = None,
        shown: Sequence[str] = (),
    ) -> None:
        """Send the command and show what became of it, with these parts of the ledger's answer.

        Raises:
            CommandFailedError: the ledger refused; the command is shown before (as JSON).
            WaitTimeoutError: it was accepted and is still on its way.
        """
        target = Target(url=self.url, token=self.token)
        with progress("sending ...") as line:

            async def deliver(client: GxClient) -> AcceptedCommand | Timed:
                acting = client.acting_for(acts_for) if acts_for else client
                return await self._deliver(acting, submit, line)

            delivered = talk(target, role, deliver)
        if isinstance(delivered, Timed):
            self._show_final(delivered, shown)
        else:
            self._show_accepted(delivered)

    async def _deliver(
        self, client: GxClient, submit: Submit, line: ProgressLine
    ) -> "AcceptedCommand | Timed":
        started_s = time.monotonic()
        accepted = await submit(client)
        if not self.wait:
            return accepted
        line.tell(f"{accepted.command_id} is accepted, waiting ...")
        command = await client.wait_for(
            accepted.command_id, CommandStatus.PROJECTED, timeout_s=self.timeout_s
        )
        return Timed(command, elapsed_ms=round((time.monotonic() - started_s) * 1_000))

    def _show_accepted(self, accepted: AcceptedCommand) -> None:
        if self.as_json:
            show_json(accepted.to_wire())
        else:
            show(f"{accepted.status} {accepted.command_id}")
            show(f"Watch it: gx command watch {accepted.command_id}")

    def _show_final(self, timed: Timed, shown: Sequence[str]) -> None:
        command = timed.command
        if self.as_json:
            show_json(command.to_wire())
        command.require_effect()
        if not self.as_json:
            show(
                f"{command.status} {command.command_type} {command.command_id} "
                f"in block {command.block_number}, {timed.elapsed_ms} ms"
            )
            result = command.result or {}
            show_fields((name, _told(result.get(name))) for name in shown)


def _told(value: JsonValue) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "" if value is None else str(value)
