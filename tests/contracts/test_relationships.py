"""IdentityContract: relationships, and the trust that confirmed ones earn."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gx.domain.catalogue import CONFIRM_RELATIONSHIP, REQUEST_RELATIONSHIP
from gx.domain.refusals import RefusalCode
from gx.domain.relationship_events import RelationshipConfirmed, RelationshipRequested
from gx.domain.relationships import RelationshipType, Ties, trust_score
from gx.domain.roles import LedgerRole
from tests.contracts.contract_ledger import ContractLedger, a_ledger

R = RefusalCode
COUNTS = st.integers(0, 20)
TIES = st.builds(
    Ties, parents=COUNTS, children=COUNTS, spouses=COUNTS, siblings=COUNTS, friends=COUNTS
)


def relate(ledger: ContractLedger, subject_id: str, object_id: str, kind: str) -> None:
    """Request and confirm a relationship."""
    ledger.do(REQUEST_RELATIONSHIP, subject_id, object_id, kind)
    ledger.do(CONFIRM_RELATIONSHIP, f"{subject_id}~{kind}~{object_id}", actor=object_id)


def trust_of(ledger: ContractLedger, user_id: str) -> object:
    """Ask the contract."""
    return ledger.query("IdentityContract:GetTrustScore", user_id)["trustScore"]


def test_a_request_alone_earns_nothing() -> None:
    """What one person says about another counts once the other agrees."""
    ledger = a_ledger(alice="US", bob="US")

    (event,) = ledger.do(REQUEST_RELATIONSHIP, "alice", "bob", "PARENT")

    assert isinstance(event, RelationshipRequested)
    assert event.relationship_id == "alice~PARENT~bob"
    assert (trust_of(ledger, "alice"), trust_of(ledger, "bob")) == (10, 10)


@pytest.mark.parametrize(
    ("kind", "subject_score", "object_score"),
    [("PARENT", 40, 20), ("CHILD", 20, 40), ("SPOUSE", 35, 35), ("SIBLING", 25, 25),
     ("FRIEND", 11, 11)],
)  # fmt: skip
def test_a_confirmation_scores_both(kind: str, subject_score: int, object_score: int) -> None:
    """Whose parent somebody is, is that person's child."""
    ledger = a_ledger(alice="US", bob="US")
    ledger.do(REQUEST_RELATIONSHIP, "alice", "bob", kind)

    (event,) = ledger.do(CONFIRM_RELATIONSHIP, f"alice~{kind}~bob", actor="bob")

    assert isinstance(event, RelationshipConfirmed)
    assert (event.subject_trust_score, event.object_trust_score) == (subject_score, object_score)
    assert (trust_of(ledger, "alice"), trust_of(ledger, "bob")) == (subject_score, object_score)


def test_a_second_parent_adds_nothing() -> None:
    """A type of relative counts once, however many there are."""
    ledger = a_ledger(alice="US", bob="US", carol="US")
    relate(ledger, "alice", "bob", "PARENT")
    relate(ledger, "carol", "alice", "CHILD")

    assert (trust_of(ledger, "alice"), trust_of(ledger, "carol")) == (40, 20)


@pytest.mark.parametrize(
    ("subject_id", "object_id", "kind"),
    [("alice", "bob", "PARENT"), ("bob", "alice", "CHILD"), ("alice", "bob", "FRIEND")],
)
@pytest.mark.parametrize("is_confirmed", [True, False])
def test_two_people_are_one_thing_to_each_other(
    subject_id: str, object_id: str, kind: str, *, is_confirmed: bool
) -> None:
    """Not twice, not from the other side; something else only as long as nothing is confirmed."""
    ledger = a_ledger(alice="US", bob="US")
    ledger.do(REQUEST_RELATIONSHIP, "alice", "bob", "PARENT")
    if is_confirmed:
        ledger.do(CONFIRM_RELATIONSHIP, "alice~PARENT~bob", actor="bob")

    outcome = ledger.send(REQUEST_RELATIONSHIP, subject_id, object_id, kind)

    is_taken = is_confirmed or kind != "FRIEND"
    assert outcome.code == (R.RELATIONSHIP_EXISTS if is_taken else None)


def test_of_two_requests_one_is_confirmed() -> None:
    """Nobody is parent and friend of the same person, and nothing is confirmed twice."""
    ledger = a_ledger(alice="US", bob="US")
    ledger.do(REQUEST_RELATIONSHIP, "alice", "bob", "FRIEND")
    relate(ledger, "bob", "alice", "SPOUSE")

    for name, actor in (("alice~FRIEND~bob", "bob"), ("bob~SPOUSE~alice", "alice")):
        assert ledger.refusal(CONFIRM_RELATIONSHIP, name, actor=actor) is R.RELATIONSHIP_EXISTS
    assert trust_of(ledger, "alice") == 35


def test_only_the_object_confirms() -> None:
    """Neither who asked, nor somebody else, nor an identity that acts for no user."""
    ledger = a_ledger(alice="US", bob="US", carol="US")
    ledger.do(REQUEST_RELATIONSHIP, "alice", "bob", "PARENT")
    name = "alice~PARENT~bob"

    for actor in ("alice", "carol"):
        assert ledger.refusal(CONFIRM_RELATIONSHIP, name, actor=actor) is R.ACTOR_MISMATCH
    by_root = ledger.refusal(CONFIRM_RELATIONSHIP, name, actor="bob", role=LedgerRole.SUPER_ADMIN)
    assert by_root is R.ACTOR_MISMATCH
    ledger.do(CONFIRM_RELATIONSHIP, name, actor="bob", role=LedgerRole.ADMIN)


@pytest.mark.parametrize("name", ["", "alice", "alice~bob", "alice~AUNT~bob", "a~FRIEND~b~c"])
def test_a_confirmation_names_two_people_and_a_type(name: str) -> None:
    """Anything else is malformed, not merely unknown."""
    ledger = a_ledger(alice="US", bob="US")

    assert ledger.refusal(CONFIRM_RELATIONSHIP, name, actor="bob") is R.ARGUMENT_INVALID


@given(TIES)
def test_trust_is_between_10_and_100(ties: Ties) -> None:
    """Whatever a person's ties are; family alone earns 80 at most, friends 10."""
    assert 10 <= trust_score(ties) <= 100
    assert trust_score(ties) <= 90 or ties.friends


def test_a_whole_family_and_ten_friends_are_fully_trusted() -> None:
    """30 + 25 + 15 + 10 is the whole of a family; an eleventh friend adds nothing."""
    whole = Ties(parents=2, children=3, spouses=1, siblings=1, friends=11)

    assert trust_score(whole) == 100
    assert trust_score(Ties(friends=11)) == trust_score(Ties(friends=10)) == 20


@pytest.mark.parametrize("kind", RelationshipType)
def test_the_inverse_of_the_inverse_is_the_relation_itself(kind: RelationshipType) -> None:
    """Telling it from the other side twice says the same."""
    assert kind.inverse.inverse is kind
