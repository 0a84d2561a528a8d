"""Hypothesis strategies: batches of commands over a small world in which they meet often."""

from collections.abc import Callable
from itertools import count

from hypothesis import strategies as st

from gx.domain.amounts import SUPPLY_CAP
from gx.domain.batches import BatchItem
from gx.domain.catalogue import (
    ACTIVATE_ORGANIZATION,
    ACTIVATE_TREASURY,
    APPLY_VELOCITY_TAX,
    APPOINT_ADMIN,
    APPROVE_MULTISIG_TX,
    COLLECT_FEES,
    CONFIRM_RELATIONSHIP,
    CREATE_USER,
    DEFINE_AUTH_RULE,
    DISTRIBUTE_GENESIS,
    ENDORSE_MEMBERSHIP,
    FREEZE_WALLET,
    INITIATE_MULTISIG_TX,
    LOCK_USER,
    MINT_COINS,
    PAUSE_SYSTEM,
    PROPOSE_ORGANIZATION,
    REQUEST_RELATIONSHIP,
    RESUME_SYSTEM,
    TRANSFER_TOKENS,
    UNFREEZE_WALLET,
    UNLOCK_USER,
    UPDATE_SYSTEM_PARAMETER,
)
from gx.domain.commands import CommandSpec
from gx.domain.identifiers import LOAN_POOL, OPERATIONS_FUND
from gx.domain.relationships import RelationshipType
from gx.domain.roles import LedgerRole
from tests.contracts.contract_ledger import COIN, a_command, a_hash
from tests.contracts.random_loans import LOANS_BY_ADMINS, LOANS_BY_PARTNERS

Call = tuple[CommandSpec, tuple[str, ...], str]
"""A command, its arguments, and its actor."""
RoledCalls = tuple[LedgerRole, list[Call]]

USERS = ("alice", "bob", "carol", "dave")
USER = st.sampled_from(USERS)
ACCOUNT = st.sampled_from(
    ("alice", "bob", "carol", *USERS, "wallet", "treasury_US", LOAN_POOL, OPERATIONS_FUND)
)
AMOUNT = st.one_of(
    st.integers(min_value=1, max_value=300 * COIN),
    st.sampled_from([1, 3 * COIN, 100 * COIN, 100 * COIN + 1]),
    st.sampled_from([0, SUPPLY_CAP, 2**63 - 1, 2**64 - 1, 2**64, 100 * COIN, 5 * COIN]),
).map(str)
TEXT = st.sampled_from(["x", "a longer reason"])


def a_call(spec: CommandSpec, *args: st.SearchStrategy[str]) -> st.SearchStrategy[Call]:
    """Draw the arguments of a command; its actor is mostly the one that it needs."""
    actor = st.sampled_from([*[""] * 11, "alice"])
    return st.tuples(st.just(spec), st.tuples(*args), actor)


def a_confirmation(subject_id: str, relation: str, object_id: str) -> Call:
    """Let the object confirm."""
    return CONFIRM_RELATIONSHIP, (f"{subject_id}~{relation}~{object_id}",), object_id


ORG = st.sampled_from(["acme", "club"])
PEOPLE = '["alice","bob"]'
RULE = st.sampled_from(
    [
        f'{{"amountThreshold":"{threshold}","requiredApprovers":{required},"approverGroup":{PEOPLE}}}'
        for threshold, required in (("0", 1), ("100", 2))
    ]
)
PAYMENT = st.builds(
    "{}~{}~random-{}".format, ORG, st.sampled_from(["alice", "treasury_US"]), st.integers(0, 39)
)


def by_somebody(spec: CommandSpec, *args: st.SearchStrategy[str]) -> st.SearchStrategy[Call]:
    """Draw the arguments of a command that a stakeholder sends, or a stranger."""
    actor = st.sampled_from(["alice", "alice", "bob", "bob", "carol"])
    return st.tuples(st.just(spec), st.tuples(*args), actor)


ORGANIZING = st.one_of(
    by_somebody(
        PROPOSE_ORGANIZATION,
        *(st.sampled_from(["acme", "club", "alice"]), st.just("Acme"), st.just("NGO")),
        *(st.just(PEOPLE), RULE.map("[{}]".format)),
    ),
    by_somebody(ENDORSE_MEMBERSHIP, ORG),
    by_somebody(ACTIVATE_ORGANIZATION, ORG),
    by_somebody(DEFINE_AUTH_RULE, ORG, RULE),
    by_somebody(INITIATE_MULTISIG_TX, ORG, ACCOUNT, AMOUNT, TEXT),
    by_somebody(APPROVE_MULTISIG_TX, PAYMENT),
)
TRANSFER = a_call(TRANSFER_TOKENS, ACCOUNT, ACCOUNT, AMOUNT, TEXT)
RELATION = st.sampled_from(RelationshipType).map(str)
PARAMETER = st.sampled_from(["feeLowerBps", "feeUpperBps", "velocityTaxThreshold"])
CALLS = {
    LedgerRole.PARTNER_API: st.one_of(
        LOANS_BY_PARTNERS,
        TRANSFER,
        TRANSFER,
        a_call(
            CREATE_USER,
            USER,
            st.integers(min_value=0, max_value=5).map(a_hash),
            st.sampled_from(["US", "CA", "FR"]),
            st.sampled_from(["12", "13", "73", "74"]),
        ),
        a_call(REQUEST_RELATIONSHIP, USER, USER, RELATION),
        st.builds(a_confirmation, USER, RELATION, USER),
        ORGANIZING,
        ORGANIZING,
    ),
    LedgerRole.ADMIN: st.one_of(
        LOANS_BY_ADMINS,
        TRANSFER,
        a_call(DISTRIBUTE_GENESIS, USER),
        a_call(ACTIVATE_TREASURY, st.sampled_from(["US", "FR"])),
        a_call(COLLECT_FEES),
        a_call(APPLY_VELOCITY_TAX, ACCOUNT),
    ),
    LedgerRole.SUPER_ADMIN: st.one_of(
        a_call(MINT_COINS, ACCOUNT, AMOUNT, TEXT),
        a_call(FREEZE_WALLET, ACCOUNT, TEXT),
        a_call(UNFREEZE_WALLET, ACCOUNT),
        a_call(LOCK_USER, USER, TEXT),
        a_call(UNLOCK_USER, USER),
        a_call(APPOINT_ADMIN, USER),
        a_call(UPDATE_SYSTEM_PARAMETER, PARAMETER, st.sampled_from(["1", "1000", "x"])),
        a_call(PAUSE_SYSTEM, st.sampled_from([*["short"] * 4, "a longer reason"])),
        a_call(RESUME_SYSTEM),
    ),
}


def calls_of(role: LedgerRole) -> st.SearchStrategy[RoledCalls]:
    """Draw some calls that one identity signs."""
    return st.tuples(st.just(role), st.lists(CALLS[role], min_size=1, max_size=5))


BATCHES = st.lists(st.sampled_from(LedgerRole).flatmap(calls_of), max_size=8)
"""Some batches, each signed with one role."""


def item_maker() -> Callable[[Call], BatchItem]:
    """Return what turns calls into commands with ids of their own, the same in every run."""
    numbers = count()

    def make(call: Call) -> BatchItem:
        spec, args, actor = call
        return a_command(spec, *args, actor=actor or None, name=f"random-{next(numbers)}")

    return make
