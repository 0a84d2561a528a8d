"""What was asked for against what came of it: each command's effect, or why it has none.

Coins that are minted or moved are compared to the last unit, a new user to the last argument that
the ledger tells again, and a refusal needs a reason that can be seen in the blocks before it. Of
other commands nothing is known here.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from gx.domain.batches import BATCH_EVENT, Outcome, OutcomeKind, parse_events, parse_outcomes
from gx.domain.codec import JsonObject
from gx.ledger.ports import Block, LedgerTransaction, ValidationCode
from tests.chaos.notes import Request
from tests.chaos.recount import FUND

BLOCKLESS: Final = frozenset({"ROLE_REQUIRED", "UNKNOWN_FUNCTION", "ARGUMENT_INVALID"})
"""With these a contract refuses a whole transaction, so that none is ordered."""

_ACCOUNT: Final = "account_"
_BASIS_POINTS: Final = 10_000
_FEE_PERCENT_MAX: Final = 1
_EVENTS: Final = {
    "MINT_COINS": "CoinsMinted",
    "TRANSFER_TOKENS": "TransferEvent",
    "CREATE_USER": "UserCreated",
}
_TOLD: Final[tuple[str, ...]] = (
    "eventType", "accountId", "fromId", "toId", "amount", "remark", "userId", "nationality", "age",
)  # fmt: skip


@dataclass(slots=True)
class Asked:
    """Goes through the blocks, and holds each decision against the request that it is about."""

    requests: Mapping[str, Request]
    refusals_allowed: frozenset[str]
    balances: Counter[str] = field(default_factory=Counter)
    opened: set[str] = field(default_factory=set)
    countries: set[str] = field(default_factory=set)
    people: dict[str, str] = field(default_factory=dict)
    """The user who has each biometric hash."""
    effects: Counter[str] = field(default_factory=Counter)
    """How often each command did what commands of its kind do."""
    otherwise: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)

    def add(self, block: Block) -> None:
        """Take the next block."""
        for transaction in block.transactions:
            if transaction.validation_code is ValidationCode.VALID:
                self._add_transaction(transaction)

    def may_refuse(self, command_id: str, code: str | None) -> bool:
        """Say whether something stands against the command now; of other kinds nobody knows."""
        request = self.requests.get(command_id)
        if request is None or request.type not in _EVENTS or code in self.refusals_allowed:
            return True
        return code in set(self._obstacles(request))

    def without_effect(self) -> set[str]:
        """Return the commands that count as committed and moved nothing."""
        return {command_id for command_id, count in self.effects.items() if count == 0}

    def doubled(self) -> int:
        """Count the effects that are too many."""
        return sum(count - 1 for count in self.effects.values() if count > 1)

    def _add_transaction(self, transaction: LedgerTransaction) -> None:
        event = transaction.event
        if event is not None and event.name == BATCH_EVENT:
            for outcome in parse_outcomes(event.payload):
                self._add_outcome(outcome)
        elif event is not None:
            self._book(parse_events(event.name, event.payload))
        keys = (write.key for write in transaction.writes)
        self.opened.update(k.removeprefix(_ACCOUNT) for k in keys if k.startswith(_ACCOUNT))

    def _add_outcome(self, outcome: Outcome) -> None:
        request = self.requests.get(outcome.command_id)
        if outcome.duplicate_of is None and request is not None and request.type in _EVENTS:
            self._compare(outcome, request)
        self._book(outcome.events)

    def _compare(self, outcome: Outcome, request: Request) -> None:
        command_id, found = outcome.command_id, list(map(_effect_of, outcome.events))
        if outcome.outcome is OutcomeKind.REJECTED:
            if found:
                self.otherwise.append(f"{command_id}: refused, and {found}")
            if not self.may_refuse(command_id, outcome.code and outcome.code.value):
                self.refused.append(f"{command_id}: {outcome.code}, {_text(request)}")
            return
        own = [each["eventType"] == _EVENTS[request.type] for each in outcome.events]
        self.effects[command_id] += sum(own)
        if request.type == "CREATE_USER":
            self.people[request.arguments["biometricHash"]] = request.arguments["userId"]
        expected = [_expected(request, event) for event in outcome.events[:1]]
        if not found or found != expected:
            self.otherwise.append(f"{command_id}: asked {_text(request)}, the ledger did {found}")

    def _obstacles(self, request: Request) -> Iterator[str]:
        """Name what stands against a request, in the words of the ledger."""
        arguments = request.arguments
        if not self.opened:
            yield "NOT_BOOTSTRAPPED"
        if request.type == "CREATE_USER":
            yield from self._obstacles_to_user(arguments)
        if request.type != "TRANSFER_TOKENS":
            return
        sender, receiver, amount = arguments["fromId"], arguments["toId"], int(arguments["amount"])
        if sender == receiver:
            yield "SELF_TRANSFER"
        if not {sender, receiver} <= self.opened:
            yield "ACCOUNT_NOT_FOUND"
        if self.balances[sender] < amount + amount * _FEE_PERCENT_MAX // 100:
            yield "INSUFFICIENT_FUNDS"

    def _obstacles_to_user(self, arguments: Mapping[str, str]) -> Iterator[str]:
        if arguments["userId"] in self.people.values():
            yield "USER_EXISTS"
        if arguments["biometricHash"] in self.people:
            yield "BIOMETRIC_HASH_EXISTS"
        if arguments["nationality"] not in self.countries:
            yield "COUNTRY_UNKNOWN"

    def _book(self, events: Sequence[JsonObject]) -> None:
        for event in events:
            for account, delta in _changes_of(event):
                self.balances[account] += delta
                self.opened.add(account)
            countries = event.get("countries", [])
            assert isinstance(countries, list)
            self.countries.update(str(c["countryCode"]) for c in countries if isinstance(c, dict))


def _changes_of(event: JsonObject) -> list[tuple[str, int]]:
    changes = event.get("changes", [])
    assert isinstance(changes, list)
    return [(str(c["accountId"]), int(str(c["delta"]))) for c in changes if isinstance(c, dict)]


def _effect_of(event: JsonObject) -> dict[str, object]:
    """Return what an event says that happened, and which accounts it changed by how much."""
    said: dict[str, object] = {name: str(event[name]) for name in _TOLD if name in event}
    changed: Counter[str] = Counter()
    for account, delta in _changes_of(event):
        changed[account] += delta
    return {**said, "changes": dict(sorted((a, d) for a, d in changed.items() if d))}


def _expected(request: Request, event: JsonObject) -> dict[str, object]:
    """Return the effect that was asked for; of the event itself only the rate of its fee counts."""
    arguments, amount = request.arguments, int(request.arguments.get("amount", 0))
    changed: Counter[str] = Counter()
    if request.type == "MINT_COINS":
        changed[arguments["accountId"]] += amount
    elif request.type == "TRANSFER_TOKENS":
        rate_bps = int(str(event.get("feeRateBps", 0)))
        fee = (amount * rate_bps + _BASIS_POINTS // 2) // _BASIS_POINTS
        changed[arguments["fromId"]] -= amount + fee
        changed[arguments["toId"]] += amount
        changed[FUND] += fee
    changes = dict(sorted((a, d) for a, d in changed.items() if d))
    told = {name: arguments[name] for name in _TOLD if name in arguments}
    return {"eventType": _EVENTS[request.type], **told, "changes": changes}


def _text(request: Request) -> str:
    return f"{request.type} {request.arguments}"


def hold_against(
    blocks: Sequence[Block], requests: Mapping[str, Request], refusals_allowed: Sequence[str]
) -> Asked:
    """Read all blocks, with what was asked for."""
    asked = Asked(requests, frozenset(refusals_allowed))
    for block in blocks:
        asked.add(block)
    return asked
