"""What must hold whatever happens, checked from events and the world state alone.

The books know no contract: they add up what events say and compare it with what the ledger
holds, so that they can be kept of any ledger, this process's or a Fabric network's.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from gx.domain.batches import Outcome, OutcomeKind
from gx.domain.codec import JsonObject, decode_object
from gx.domain.events import Event, parse_event
from gx.domain.identifiers import OPERATIONS_FUND
from gx.domain.world_state import AccountRecord, FeeRecord, SupplyRecord

World = Mapping[str, str]
"""The world state: every key with its text."""


def balances_of(world: World) -> dict[str, int]:
    """Return every account's balance, fee income added to the operations fund's."""
    held: Counter[str] = Counter()
    for key, text in world.items():
        if key.startswith("account_"):
            held[key.removeprefix("account_")] += AccountRecord.from_text(text).balance
        elif key.startswith("fee_"):
            held[OPERATIONS_FUND] += FeeRecord.from_text(text).amount
    return dict(held)


@dataclass
class Books:
    """Everything that the events so far have told."""

    minted: int = 0
    held: Counter[str] = field(default_factory=Counter)
    paid: Counter[str] = field(default_factory=Counter)
    """How often each multi-signature payment was executed."""
    voted: Counter[tuple[str, str]] = field(default_factory=Counter)
    """How often each actor voted on each proposal."""
    lent: int = 0
    repaid: int = 0
    is_paused: bool = False
    commands: Counter[str] = field(default_factory=Counter)
    """How often each kind of event was met: a machine that never lends proves nothing of loans."""

    def take(self, outcomes: Iterable[Outcome]) -> None:
        """Enter the events of one transaction, in order."""
        for outcome in outcomes:
            assert outcome.outcome is OutcomeKind.COMMITTED or not outcome.events
            for payload in outcome.events:
                self._enter(parse_event(payload), payload)

    def _enter(self, event: Event, payload: JsonObject) -> None:
        name = event.WIRE_NAME
        self.commands[name] += 1
        moved = sum(change.delta for change in event.changes)
        for change in event.changes:
            self.held[change.account_id] += change.delta
        if name == "CoinsMinted":
            self.minted += moved
            assert str(moved) == payload["amount"]
        else:
            assert moved == 0, f"{name} makes or loses {moved} base units"
        self._enter_kind(name, payload)

    def _enter_kind(self, name: str, payload: JsonObject) -> None:
        match name:
            case "MultiSigTxExecuted":
                self.paid[str(payload["txId"])] += 1
            case "VoteCast":
                self.voted[str(payload["proposalId"]), str(payload["voterId"])] += 1
            case "LoanApproved":
                self.lent += int(str(payload["amount"]))
            case "LoanRepaid":
                self.repaid += int(str(payload["amount"]))
            case "SystemPaused" | "SystemResumed":
                self.is_paused = name == "SystemPaused"
            case "VelocityTaxApplied":
                shares = int(str(payload["treasuryShare"])), int(str(payload["charityShare"]))
                assert sum(shares) == int(str(payload["taxAmount"]))
            case _:
                pass

    def check(self, world: World) -> None:
        """Compare with what the ledger holds.

        Supply = sum of balances = sum of mints; no balance below 0; every balance as the events
        tell it; no payment executed twice; one vote an actor; what is lent is what is not repaid.
        """
        held = balances_of(world)
        supply = SupplyRecord.from_text(world["supply"]).minted
        assert supply == sum(held.values()) == self.minted
        assert min(held.values()) >= 0
        assert held == {name: self.held[name] for name in held}
        assert sum(self.held.values()) == self.minted
        assert max(self.paid.values(), default=1) == 1, "a payment was executed twice"
        assert max(self.voted.values(), default=1) == 1, "somebody voted twice"
        assert outstanding_of(world) == self.lent - self.repaid


def outstanding_of(world: World) -> int:
    """Add up what borrowers still owe."""
    loans = (decode_object(text) for key, text in world.items() if key.startswith("loan_"))
    return sum(int(str(loan["outstanding"])) for loan in loans)
