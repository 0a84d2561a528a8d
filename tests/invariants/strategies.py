"""How each command of the catalogue is drawn: by people who may and may not, about what is there.

One entry a command. A command without one fails a test, so whatever is declared joins the
machine that attacks the invariants.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from hypothesis import strategies as st

from gx.domain.amounts import SUPPLY_CAP
from gx.domain.batches import BatchItem
from gx.domain.catalogue import COMMANDS, RESUME_SYSTEM
from gx.domain.codec import JsonObject, JsonValue, encode
from gx.domain.commands import CommandSpec
from gx.domain.identifiers import CHARITABLE_POOL, LOAN_POOL, OPERATIONS_FUND
from gx.domain.roles import LedgerRole
from tests.contracts.contract_ledger import COIN, a_command, a_hash

PEOPLE: Final = ("alice", "bob", "carol", "dave", "erin")
"""The first four are there from the start; alice is trusted enough to borrow and propose."""


@dataclass
class Seen:
    """The ids that commands have made so far, by kind, for later commands to speak of."""

    ids: dict[str, list[str]] = field(default_factory=dict)
    is_paused: bool = False

    def note(self, event: JsonObject) -> None:
        """Remember what an event made."""
        for kind in ("orgId", "txId", "loanId", "proposalId", "relationshipId"):
            value = event.get(kind)
            if isinstance(value, str) and value not in self.ids.setdefault(kind, []):
                self.ids[kind].append(value)

    def one(self, kind: str, otherwise: str) -> st.SearchStrategy[str]:
        """Draw one of a kind, the youngest most often; `otherwise` if there is none."""
        known: Sequence[str] = self.ids.get(kind, [])[-4:]
        return st.sampled_from([*known, *known[-1:], *known[-1:]] or [otherwise])


Drawn: TypeAlias = tuple[tuple[str, ...], str]
"""A command's arguments and its actor; no actor stands for the one that the command needs."""
Draw: TypeAlias = Callable[[Seen], st.SearchStrategy[Drawn]]

PERSON: Final = st.sampled_from(PEOPLE)
PARTY: Final = st.sampled_from(["alice", "alice", "bob", "carol", "dave"])
SYSTEM: Final = ("treasury_US", "treasury_CA", LOAN_POOL, OPERATIONS_FUND, CHARITABLE_POOL)
ACCOUNT: Final = st.sampled_from([*PEOPLE, *PEOPLE, "wallet", "acme", *SYSTEM])
AMOUNT: Final = st.one_of(
    st.integers(1, 400 * COIN),
    st.sampled_from([1, 3 * COIN, 100 * COIN, 100 * COIN + 1, 1_000 * COIN]),
    st.sampled_from([0, SUPPLY_CAP, 2**63 - 1, 2**64 - 1, 2**64]),
).map(str)
TEXT: Final = st.sampled_from(["x", "a longer reason"])
PARAMETER: Final = st.sampled_from(
    ["feeLowerBps", "feeUpperBps", "velocityTaxThreshold", "velocityTaxTier1Bps"]
)
VALUE: Final = st.sampled_from(["1", "7", "1000", "x"])


def _by(actor: st.SearchStrategy[str], *args: st.SearchStrategy[str]) -> st.SearchStrategy[Drawn]:
    return st.tuples(st.tuples(*args), actor)


def _for_owner(*args: st.SearchStrategy[str]) -> Draw:
    """Draw the arguments; the actor is mostly the one whom the command needs."""
    return lambda _seen: _by(st.sampled_from([*[""] * 11, "alice"]), *args)


def _by_people(*args: st.SearchStrategy[str]) -> Draw:
    return lambda _seen: _by(PARTY, *args)


def _about(kind: str, otherwise: str, *args: st.SearchStrategy[str]) -> Draw:
    """Draw an id of this kind as the first argument, and who does it."""
    return lambda seen: _by(PARTY, seen.one(kind, otherwise), *args)


def _rule(required: int, *group: str) -> JsonObject:
    return {
        "amountThreshold": "0",
        "requiredApprovers": required,
        "approverGroup": list[JsonValue](group),
    }


_RULES: Final = (
    _rule(1, "alice"),
    _rule(2, "alice", "bob", "carol"),
    {**_rule(3, "alice", "bob", "carol"), "amountThreshold": str(200 * COIN)},
    _rule(1, "mallory"),
)
_ORGANIZATION: Final = st.sampled_from(["acme", "acme", "widgets", "alice"])
_STAKEHOLDERS: Final = st.sampled_from([["alice", "bob"], ["alice", "bob", "carol"], ["bob"]])
_HASHES: Final = st.integers(0, 5).map(a_hash)

STRATEGIES: Final[Mapping[str, Draw]] = {
    "BOOTSTRAP_SYSTEM": _for_owner(),
    "INITIALIZE_COUNTRY_DATA": _for_owner(
        st.sampled_from(["FR", "US", "XX"]).map(
            lambda code: f'[{{"countryCode":"{code}","percentage":"1"}}]'
        )
    ),
    "UPDATE_SYSTEM_PARAMETER": _for_owner(PARAMETER, VALUE),
    "PAUSE_SYSTEM": _for_owner(st.sampled_from([*["short"] * 6, "a longer reason"])),
    "RESUME_SYSTEM": _for_owner(),
    "APPOINT_ADMIN": _for_owner(PERSON),
    "ACTIVATE_TREASURY": _for_owner(st.sampled_from(["US", "CA", "FR"])),
    "CREATE_USER": _for_owner(
        PERSON,
        _HASHES,
        st.sampled_from(["US", "CA", "FR"]),
        st.sampled_from(["12", "13", "73", "74"]),
    ),
    "LOCK_USER": _for_owner(PERSON, TEXT),
    "UNLOCK_USER": _for_owner(PERSON),
    "REQUEST_RELATIONSHIP": _for_owner(
        PERSON, PERSON, st.sampled_from(["PARENT", "SPOUSE", "SIBLING", "FRIEND"])
    ),
    "CONFIRM_RELATIONSHIP": _about("relationshipId", "alice~FRIEND~dave"),
    "MINT_COINS": _for_owner(ACCOUNT, AMOUNT, TEXT),
    "DISTRIBUTE_GENESIS": _for_owner(PERSON),
    "TRANSFER_TOKENS": _for_owner(ACCOUNT, ACCOUNT, AMOUNT, TEXT),
    "COLLECT_FEES": _for_owner(),
    "FREEZE_WALLET": _for_owner(PERSON, TEXT),
    "UNFREEZE_WALLET": _for_owner(PERSON),
    "PROPOSE_ORGANIZATION": _by_people(
        _ORGANIZATION,
        st.just("Acme Ltd"),
        st.sampled_from(["BUSINESS", "BUSINESS", "NGO", "GOVERNMENT"]),
        _STAKEHOLDERS.map(lambda people: encode(list[JsonValue](people))),
        st.lists(st.sampled_from(_RULES), max_size=3).map(
            lambda rules: encode(list[JsonValue](rules))
        ),
    ),
    "ENDORSE_MEMBERSHIP": _about("orgId", "acme"),
    "ACTIVATE_ORGANIZATION": _about("orgId", "acme"),
    "DEFINE_AUTH_RULE": _about("orgId", "acme", st.sampled_from(_RULES).map(encode)),
    "INITIATE_MULTISIG_TX": _about("orgId", "acme", ACCOUNT, AMOUNT, TEXT),
    "APPROVE_MULTISIG_TX": _about("txId", "acme~alice~none"),
    "APPLY_FOR_LOAN": _for_owner(
        st.sampled_from(["alice", "alice", "bob"]),
        st.sampled_from([99, 100, 500, 1_000_000]).map(lambda whole: str(whole * COIN)),
        _HASHES,
    ),
    "APPROVE_LOAN": _about("loanId", "alice~none"),
    "REJECT_LOAN": _about("loanId", "alice~none", TEXT),
    "REPAY_LOAN": _about("loanId", "alice~none", AMOUNT),
    "SUBMIT_PROPOSAL": _by_people(PARAMETER, VALUE, TEXT),
    "VOTE_ON_PROPOSAL": _about(
        "proposalId", "feeLowerBps~none", st.sampled_from(["FOR", "FOR", "AGAINST", "ABSTAIN"])
    ),
    "EXECUTE_PROPOSAL": _about("proposalId", "feeLowerBps~none"),
    "APPLY_VELOCITY_TAX": _for_owner(ACCOUNT),
}
"""By wire name. Commands that are not declared yet may have theirs already."""


LIVELY: Final = frozenset(
    {
        "TRANSFER_TOKENS", "APPLY_VELOCITY_TAX", "INITIATE_MULTISIG_TX", "APPROVE_MULTISIG_TX",
        "ENDORSE_MEMBERSHIP", "APPLY_FOR_LOAN", "APPROVE_LOAN", "REPAY_LOAN", "SUBMIT_PROPOSAL",
        "VOTE_ON_PROPOSAL", "EXECUTE_PROPOSAL",
    }
)  # fmt: skip
"""Drawn three times as often as others: they have a life of several steps."""


def commands_of(role: LedgerRole) -> list[CommandSpec]:
    """List the commands that a role may sign, lively ones several times."""
    admitted = [spec for spec in COMMANDS.values() if role in spec.roles]
    return [spec for spec in admitted for _ in range(3 if spec.wire_name in LIVELY else 1)]


@st.composite
def batches(draw: st.DrawFn, seen: Seen, number: int) -> tuple[LedgerRole, list[BatchItem]]:
    """Draw a batch: one signing role, and a few commands that it mostly may sign.

    `number` makes the commands' ids, which differ from those of other batches. A pause is
    mostly soon over.
    """
    if seen.is_paused and draw(st.booleans()):
        return LedgerRole.SUPER_ADMIN, [a_command(RESUME_SYSTEM, name=f"drawn-{number}")]
    role = draw(st.sampled_from(LedgerRole))
    is_right = draw(st.sampled_from([*[True] * 9, False]))
    specs = commands_of(role) if is_right else list(COMMANDS.values())
    items = []
    for index in range(draw(st.integers(1, 8))):
        spec = draw(st.sampled_from(specs))
        args, actor = draw(STRATEGIES[spec.wire_name](seen))
        name = f"drawn-{number}-{index}"
        items.append(a_command(spec, *args, actor=actor or None, name=name))
    return role, items
