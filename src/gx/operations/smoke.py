"""One walk through the whole loop: accepted, committed, projected, and every number checked."""

import secrets
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final

from gx.client.answers import AcceptedCommand, Command
from gx.client.client import GxClient
from gx.client.commands import CountryShare
from gx.domain.amounts import coins, render_coins
from gx.domain.codec import JsonObject, JsonValue
from gx.domain.command_status import CommandStatus
from gx.domain.errors import GxError
from gx.domain.identifiers import CommandId
from gx.operations.bootstrap import bootstrap, open_countries
from gx.operations.countries import DEFAULT_COUNTRIES
from gx.operations.events import EventSource
from gx.operations.pool_check import check_pools

COUNTRIES: Final = ("US", "CA", "GB")
TIMEOUT_S: Final = 30.0
TRANSFERRED: Final = coins(5)
_AGE: Final = 34


class SmokeFailedError(GxError):
    """Something that was looked at is not as it must be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SmokeStep:
    """One step. Times are milliseconds from sending; None where no command was sent."""

    name: str
    is_good: bool
    detail: str
    command_id: str | None = None
    block_number: int | None = None
    accepted_ms: int | None = None
    committed_ms: int | None = None
    projected_ms: int | None = None

    def to_wire(self) -> JsonObject:
        """Return the step for a script."""
        return {
            "step": self.name,
            "ok": self.is_good,
            "detail": self.detail,
            "commandId": self.command_id,
            "blockNumber": self.block_number,
            "acceptedMs": self.accepted_ms,
            "committedMs": self.committed_ms,
            "projectedMs": self.projected_ms,
        }


@dataclass(frozen=True, slots=True)
class SmokeReport:
    """The steps that were made; the last one is the bad one, if there is one."""

    steps: tuple[SmokeStep, ...]

    @property
    def is_good(self) -> bool:
        """Tell whether the whole loop works."""
        return all(step.is_good for step in self.steps)

    def to_wire(self) -> JsonObject:
        """Return the report for a script."""
        return {
            "ok": self.is_good,
            "steps": list[JsonValue]([step.to_wire() for step in self.steps]),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Timed:
    """A command that took effect, and when it got where."""

    command: Command
    accepted_ms: int
    committed_ms: int
    projected_ms: int


@dataclass(slots=True)
class Smoke:
    """The walk. `admin` has a super admin's token, `partner` a partner's that may act for all.

    `events` is left out where the ledger cannot be read directly; then the rows, which only an
    event can have made, stand for the events.
    """

    admin: GxClient
    partner: GxClient
    events: EventSource | None = None
    observe: Callable[[SmokeStep], None] = lambda _: None
    monotonic: Callable[[], float] = time.monotonic
    timeout_s: float = TIMEOUT_S
    run: str = field(default_factory=lambda: secrets.token_hex(4))
    _steps: list[SmokeStep] = field(default_factory=list)
    _did_bootstrap: bool = False

    async def walk(self) -> SmokeReport:
        """Make every step until one fails."""
        steps: Sequence[tuple[str, Callable[[], Awaitable[SmokeStep]]]] = (
            ("bootstrap", self._bootstrap),
            ("pools", self._check_pools),
            ("countries", self._open_countries),
            ("user", self._create_sender),
            ("recipient", self._create_receiver),
            ("genesis", self._distribute),
            ("transfer", self._transfer),
            ("supply", self._check_supply),
        )
        for name, step in steps:
            try:
                made = await step()
            except GxError as error:
                made = SmokeStep(name=name, is_good=False, detail=str(error))
            self._steps.append(made)
            self.observe(made)
            if not made.is_good:
                break
        return SmokeReport(tuple(self._steps))

    @property
    def _sender(self) -> str:
        return f"smoke-{self.run}-a"

    @property
    def _receiver(self) -> str:
        return f"smoke-{self.run}-b"

    async def _bootstrap(self) -> SmokeStep:
        report = await bootstrap(self.admin, countries=(), timeout_s=self.timeout_s)
        self._did_bootstrap = report.did_bootstrap
        detail = "done now" if report.did_bootstrap else "had been done"
        return SmokeStep(name="bootstrap", is_good=True, detail=detail)

    async def _check_pools(self) -> SmokeStep:
        detail = await check_pools(self.admin, self.events, is_new=self._did_bootstrap)
        return SmokeStep(name="pools", is_good=True, detail=detail)

    async def _open_countries(self) -> SmokeStep:
        wanted: list[CountryShare] = [
            share for share in DEFAULT_COUNTRIES if share.country_code in COUNTRIES
        ]
        opened = await open_countries(self.admin, wanted, timeout_s=self.timeout_s)
        for code in COUNTRIES:
            await self.admin.country_stats(country_code=code)
        detail = f"opened {', '.join(opened)}" if opened else "were open"
        return SmokeStep(name="countries", is_good=True, detail=detail)

    async def _create_sender(self) -> SmokeStep:
        timed = await self._create(self._sender, "US")
        await self._require_event(timed.command, "UserCreated", "userId", self._sender)
        return _step("user", timed, f"{self._sender} of US, row and event are there")

    async def _create_receiver(self) -> SmokeStep:
        timed = await self._create(self._receiver, "GB")
        return _step("recipient", timed, f"{self._receiver} of GB")

    async def _create(self, user_id: str, nationality: str) -> Timed:
        timed = await self._take_effect(
            lambda: self.partner.create_user(
                user_id=user_id,
                biometric_hash=sha256(user_id.encode()).hexdigest(),
                nationality=nationality,
                age=_AGE,
            )
        )
        row = await self.partner.user(user_id=user_id)
        found = (row.nationality, row.age, row.status)
        _require(found == (nationality, _AGE, "Active"), f"the row of {user_id} holds {found}")
        return timed

    async def _distribute(self) -> SmokeStep:
        timed = await self._take_effect(lambda: self.admin.distribute_genesis(user_id=self._sender))
        row = await self.partner.user(user_id=self._sender)
        held = (await self.partner.balance(account_id=self._sender)).balance
        _require(
            held == row.genesis_amount and held > TRANSFERRED,
            f"{self._sender} holds {held} base units after a genesis of {row.genesis_amount}",
        )
        await self._require_event(timed.command, "GenesisDistributed", "userId", self._sender)
        return _step("genesis", timed, f"{self._sender} received {render_coins(held)} coin")

    async def _transfer(self) -> SmokeStep:
        before = (await self.partner.balance(account_id=self._sender)).balance
        payer = self.partner.acting_for(self._sender)
        timed = await self._take_effect(
            lambda: payer.transfer_tokens(
                from_id=self._sender, to_id=self._receiver, amount=TRANSFERRED, remark="gx smoke"
            )
        )
        left = (await self.partner.balance(account_id=self._sender)).balance
        received = (await self.partner.balance(account_id=self._receiver)).balance
        fee = before - left - TRANSFERRED
        _require(received == TRANSFERRED, f"{self._receiver} holds {received} base units")
        _require(0 <= fee < TRANSFERRED, f"the sender paid {before - left} base units")
        await self._require_event(timed.command, "TransferEvent", "fromId", self._sender)
        detail = f"{render_coins(TRANSFERRED)} coin, fee {render_coins(fee)} coin"
        return _step("transfer", timed, detail)

    async def _check_supply(self) -> SmokeStep:
        supply = await self.admin.supply()
        _require(
            supply.minted == supply.balances,
            f"{supply.minted} base units were minted, the accounts hold {supply.balances}",
        )
        detail = f"{render_coins(supply.minted)} coin minted, and all accounts hold as much"
        return SmokeStep(name="supply", is_good=True, detail=detail)

    async def _take_effect(self, submit: Callable[[], Awaitable[AcceptedCommand]]) -> Timed:
        started_s = self.monotonic()

        def elapsed_ms() -> int:
            return round((self.monotonic() - started_s) * 1_000)

        accepted = await submit()
        accepted_ms = elapsed_ms()
        await self._reach(accepted.command_id, CommandStatus.COMMITTED)
        committed_ms = elapsed_ms()
        command = await self._reach(accepted.command_id, CommandStatus.PROJECTED)
        return Timed(
            command=command,
            accepted_ms=accepted_ms,
            committed_ms=committed_ms,
            projected_ms=elapsed_ms(),
        )

    async def _reach(self, command_id: CommandId, status: CommandStatus) -> Command:
        command = await self.admin.wait_for(command_id, status, timeout_s=self.timeout_s)
        return command.require_effect()

    async def _require_event(self, command: Command, kind: str, key: str, value: str) -> None:
        """Require that the ledger's block holds the event, exactly once."""
        if self.events is None or command.block_number is None:
            return
        found = [
            event
            for event in await self.events.events_of(command.block_number)
            if event.get("eventType") == kind and event.get(key) == value
        ]
        _require(
            len(found) == 1,
            f"block {command.block_number} holds {len(found)} events {kind} of {value}, not 1",
        )


def _step(name: str, timed: Timed, detail: str) -> SmokeStep:
    return SmokeStep(
        name=name,
        is_good=True,
        detail=detail,
        command_id=timed.command.command_id,
        block_number=timed.command.block_number,
        accepted_ms=timed.accepted_ms,
        committed_ms=timed.committed_ms,
        projected_ms=timed.projected_ms,
    )


def _require(is_so: bool, complaint: str) -> None:  # noqa: FBT001 (reads as a sentence)
    if not is_so:
        raise SmokeFailedError(complaint)
