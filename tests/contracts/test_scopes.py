"""Conflict scopes: what a command touches lies in what it declares, so order can be kept."""

import pytest
from hypothesis import given

from gx.contracts import keys
from gx.domain.batches import BatchItem
from gx.domain.catalogue import COMMANDS_BY_FUNCTION
from gx.domain.identifiers import AccountId, CountryCode, TransactionId, UserId
from gx.domain.organizations import MultiSigTxId, OrganizationId
from gx.domain.owned_ids import LoanId, ProposalId
from gx.domain.relationships import RelationshipId
from gx.domain.scopes import EXCLUSIVE, Scopes
from tests.chaincode.dict_stub import DictStub
from tests.contracts.random_commands import BATCHES, RoledCalls, item_maker
from tests.contracts.test_properties import a_small_world


def scopes_of(item: BatchItem) -> Scopes:
    """Compute the command's scopes as the edge does."""
    spec = COMMANDS_BY_FUNCTION[item.function]
    names = (argument.name for argument in spec.arguments)
    return spec.scopes(dict(zip(names, item.args, strict=True)), item.actor)


def assert_within_scopes(item: BatchItem, stub: DictStub) -> None:
    """Check each key that the command read or wrote, found out from the simulation alone."""
    scopes = scopes_of(item)
    if scopes == EXCLUSIVE:
        return
    assert stub.ranges == [], "a scan reads keys of any scope"
    own = {f"cmd_{item.key}", f"fee_{stub.transaction_id}"}
    for key in {*stub.reads, *stub.writes} - own - set(keys.SHARED):
        assert keys.scopes_of_key(key), key
        assert keys.scopes_of_key(key) <= scopes, key
    assert not set(stub.writes) & set(keys.SHARED), "only EXCLUSIVE commands write shared keys"


@given(BATCHES)
def test_each_command_keeps_within_its_scopes(batches: list[RoledCalls]) -> None:
    """Whatever the state and the outcome: refused commands rest on what they read, too."""
    ledger, make = a_small_world(), item_maker()

    for role, calls in batches:
        for call in calls:
            item = make(call)
            stub = ledger.simulate([item], role)
            assert_within_scopes(item, stub)
            assert stub.commit()


@pytest.mark.parametrize(
    ("key", "scope"),
    [
        (keys.account(AccountId("alice")), "account:alice"),
        (keys.account(AccountId("a_b")), "account:a_b"),
        (keys.account(AccountId("treasury_US")), "pool:treasuries"),
        (keys.account(AccountId("SYSTEM_USER_GENESIS_POOL")), "pool:genesis"),
        (keys.account(AccountId("SYSTEM_GOVT_GENESIS_POOL")), "pool:genesis"),
        (keys.account(AccountId("SYSTEM_LOAN_POOL")), "account:SYSTEM_LOAN_POOL"),
        (keys.user(UserId("alice")), "user:alice"),
        (keys.biometric("ab"), "biometric:ab"),
        (keys.country(CountryCode("US")), "country:US"),
        (keys.genesis_of(CountryCode("US")), "pool:genesis"),
        (keys.GENESIS_COUNTER, "pool:genesis"),
        (keys.administrator(UserId("ada")), "admin:ada"),
        (keys.loan(LoanId("alice~1")), "user:alice"),
        (keys.borrower(UserId("a_b")), "user:a_b"),
        (keys.proposal(ProposalId("feeLowerBps~1")), "proposal:feeLowerBps"),
        (keys.vote(ProposalId("feeLowerBps~1"), UserId("bob")), "proposal:feeLowerBps"),
        (keys.motion("feeLowerBps", "4"), "proposal:feeLowerBps"),
        (keys.SUPPLY_RECORD, "supply"),
    ],
)
def test_every_key_has_its_scope(key: str, scope: str) -> None:
    """One key, one scope: two commands that share a key share a scope."""
    assert keys.scopes_of_key(key) == {scope}


def test_what_two_people_share_lies_in_both_their_scopes() -> None:
    """Whoever is named first: the pair is the same."""
    both = {"user:alice", "user:bob_b"}

    for key in (
        keys.relationship(RelationshipId("alice~CHILD~bob_b")),
        keys.pair(UserId("alice"), UserId("bob_b")),
        keys.pair(UserId("bob_b"), UserId("alice")),
    ):
        assert keys.scopes_of_key(key) == both


def test_what_belongs_to_an_organisation_lies_in_its_scope() -> None:
    """Its record, the rules that it may get, and its payments."""
    acme = OrganizationId("ac_me")

    for key in (
        keys.organization(acme),
        keys.auth_rule(acme, "5f0c"),
        keys.multisig(MultiSigTxId("ac_me~bob~c1")),
    ):
        assert keys.scopes_of_key(key) == {"organization:ac_me"}


@pytest.mark.parametrize(
    "key", [*keys.SHARED, keys.fee_income(TransactionId("f" * 64)), "cmd_1", "cmd_account_x"]
)
def test_shared_and_private_keys_have_none(key: str) -> None:
    """Flags and parameters are read by all; fees and request records have one writer each."""
    assert keys.scopes_of_key(key) == frozenset()


def test_a_foreign_key_is_not_given_a_scope() -> None:
    """A new kind of key needs a decision about its scope first."""
    with pytest.raises(ValueError, match="no key of these contracts"):
        keys.scopes_of_key("bond_1")


def test_no_prefix_begins_another() -> None:
    """Else a scan of one kind would meet records of another."""
    made = [
        keys.account(AccountId("")),
        keys.user(UserId("")),
        keys.biometric(""),
        keys.country(CountryCode("")),
        keys.genesis_of(CountryCode("")),
        keys.administrator(UserId("")),
        keys.loan(LoanId("")),
        keys.borrower(UserId("")),
        keys.proposal(ProposalId("")),
        "vote_",
        "motion_",
        keys.fee_income(TransactionId("")),
        keys.relationship(RelationshipId("")),
        keys.pair(UserId(""), UserId("")),
        keys.organization(OrganizationId("")),
        keys.auth_rule(OrganizationId(""), ""),
        keys.multisig(MultiSigTxId("")),
        "cmd_",
    ]

    assert not [(a, b) for a in made for b in made if a != b and a.startswith(b)]
    assert not [a for a in made if a in {*keys.SHARED, keys.SUPPLY_RECORD, keys.GENESIS_COUNTER}]
