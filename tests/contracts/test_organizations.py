"""OrganizationContract: proposal, endorsement, activation and rules."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gx.domain.amounts import SUPPLY_CAP, Amount
from gx.domain.catalogue import (
    ACTIVATE_ORGANIZATION,
    CREATE_USER,
    DEFINE_AUTH_RULE,
    ENDORSE_MEMBERSHIP,
    PROPOSE_ORGANIZATION,
    TRANSFER_TOKENS,
)
from gx.domain.codec import JsonObject, encode
from gx.domain.events import AccountStatus
from gx.domain.identifiers import UserId
from gx.domain.organization_events import (
    AuthRuleDefined,
    MembershipEndorsed,
    OrganizationActivated,
    OrganizationProposed,
)
from gx.domain.organizations import AuthRule, strictest_rule
from gx.domain.refusals import RefusalCode
from gx.domain.roles import LedgerRole
from gx.domain.world_state import AccountKind
from tests.contracts.acme import (
    PEOPLE,
    STAKEHOLDERS,
    TWO_OF_THREE,
    a_rule,
    an_organization,
    found,
    propose,
)
from tests.contracts.contract_ledger import ContractLedger, a_hash, a_ledger, give

R = RefusalCode
PARTNER, ADMIN, SUPER_ADMIN = LedgerRole.PARTNER_API, LedgerRole.ADMIN, LedgerRole.SUPER_ADMIN


def three_people() -> ContractLedger:
    """Return a ledger with alice, bob and carol."""
    return a_ledger(alice="US", bob="US", carol="CA")


def proposal(
    org_id: str = "acme", kind: str = "BUSINESS", people: str = STAKEHOLDERS, rules: str = "[]"
) -> tuple[str, ...]:
    """Write the arguments of a proposal."""
    return org_id, "Acme Ltd", kind, people, rules


def test_a_proposal_opens_an_account_that_may_not_send() -> None:
    """It is an organisation's account, at 0, locked, and nobody can register under its id."""
    ledger = three_people()

    (event,) = ledger.do(
        PROPOSE_ORGANIZATION, *proposal(rules=encode([TWO_OF_THREE])), actor="alice"
    )

    assert isinstance(event, OrganizationProposed)
    assert (event.stakeholders, event.proposed_by) == (PEOPLE, "alice")
    assert [(change.account_id, change.delta) for change in event.changes] == [("acme", 0)]
    account = ledger.account("acme")
    assert (account.kind, account.status) == (AccountKind.ORGANIZATION, AccountStatus.LOCKED)
    assert ledger.refusal(CREATE_USER, "acme", a_hash(9), "US", "30") is R.USER_EXISTS


def test_it_begins_once_all_have_endorsed_it() -> None:
    """Not before the last one, and each endorses once."""
    ledger = three_people()
    propose(ledger, TWO_OF_THREE)
    for count, person in enumerate(PEOPLE):
        assert ledger.refusal(ACTIVATE_ORGANIZATION, "acme", actor="alice") is R.ORGANIZATION_STATE
        (event,) = ledger.do(ENDORSE_MEMBERSHIP, "acme", actor=person)
        assert isinstance(event, MembershipEndorsed)
        assert (event.endorsements, event.required_endorsements) == (count + 1, 3)
        assert ledger.refusal(ENDORSE_MEMBERSHIP, "acme", actor=person) is R.ALREADY_ENDORSED

    (activated,) = ledger.do(ACTIVATE_ORGANIZATION, "acme", actor="carol")

    assert isinstance(activated, OrganizationActivated)
    assert len(activated.rule_ids) == 1
    assert ledger.account("acme").status is AccountStatus.ACTIVE
    assert ledger.query("OrganizationContract:GetOrganization", "acme")["status"] == "Active"
    for command in (ACTIVATE_ORGANIZATION, ENDORSE_MEMBERSHIP):
        assert ledger.refusal(command, "acme", actor="alice") is R.ORGANIZATION_STATE


@pytest.mark.parametrize("taken", ["alice", "wallet", "acme"])
def test_an_id_that_is_anything_s_is_refused(taken: str) -> None:
    """A user's, an organisation's, or a wallet whose coins a proposer could take."""
    ledger = three_people()
    give(ledger, "wallet", "5")
    propose(ledger)

    assert ledger.refusal(PROPOSE_ORGANIZATION, *proposal(taken), actor="alice") is (
        R.ORGANIZATION_EXISTS
    )


@pytest.mark.parametrize(
    ("people", "code"),
    [
        ('["alice"]', R.ARGUMENT_INVALID),
        ('["alice","alice"]', R.ARGUMENT_INVALID),
        ('["alice",7]', R.ARGUMENT_INVALID),
        ('{"alice":1,"bob":2}', R.ARGUMENT_INVALID),
        ("alice,bob", R.ARGUMENT_INVALID),
        (encode([f"user-{n}" for n in range(21)]), R.ARGUMENT_INVALID),
        ('["alice","nobody"]', R.USER_NOT_FOUND),
    ],
)
def test_stakeholders_are_2_to_20_users(people: str, code: RefusalCode) -> None:
    """Each of them once, and each of them registered."""
    ledger = three_people()

    assert ledger.refusal(PROPOSE_ORGANIZATION, *proposal(people=people), actor="alice") is code


@pytest.mark.parametrize(
    ("role", "code"),
    [(PARTNER, R.ROLE_REQUIRED), (ADMIN, None), (SUPER_ADMIN, None)],
)
def test_a_government_needs_an_administrator(role: LedgerRole, code: RefusalCode | None) -> None:
    """A partner's signature is not enough, whoever the actor is."""
    arguments = proposal(kind="GOVERNMENT")

    outcome = three_people().send(PROPOSE_ORGANIZATION, *arguments, actor="alice", role=role)

    assert outcome.code is code


def test_an_identity_that_acts_for_no_user_does_nothing_for_one() -> None:
    """A super administrator is no stakeholder's signature."""
    ledger = three_people()
    propose(ledger)

    assert ledger.refusal(
        ENDORSE_MEMBERSHIP, "acme", actor="alice", role=SUPER_ADMIN
    ) is R.ACTOR_MISMATCH  # fmt: skip
    ledger.do(ENDORSE_MEMBERSHIP, "acme", actor="alice", role=ADMIN)


@pytest.mark.parametrize(
    "rule",
    [
        {},
        {**TWO_OF_THREE, "more": 1},
        {**TWO_OF_THREE, "requiredApprovers": 0},
        {**TWO_OF_THREE, "requiredApprovers": 4},
        {**TWO_OF_THREE, "requiredApprovers": True},
        {**TWO_OF_THREE, "requiredApprovers": "2"},
        {**TWO_OF_THREE, "amountThreshold": 0},
        {**TWO_OF_THREE, "amountThreshold": str(SUPPLY_CAP + 1)},
        {**TWO_OF_THREE, "approverGroup": []},
        {**TWO_OF_THREE, "approverGroup": ["alice", "alice"]},
        {**TWO_OF_THREE, "approverGroup": ["alice", "dave"]},
    ],
)
def test_a_rule_can_be_kept(rule: JsonObject) -> None:
    """As many approvers as its group has, all stakeholders, a threshold that coins can reach."""
    ledger = three_people()

    assert ledger.refusal(
        PROPOSE_ORGANIZATION, *proposal(rules=encode([rule])), actor="alice"
    ) is R.RULE_INVALID  # fmt: skip


def test_a_later_rule_counts_once_every_stakeholder_wants_it() -> None:
    """The same rule, in whatever order its group is written; each stakeholder once."""
    ledger = an_organization()
    later = a_rule(100, 3)
    texts = {
        "alice": encode(later),
        "bob": encode({**later, "approverGroup": ["carol", "bob", "alice"]}),
        "carol": encode(later),
    }

    seen = []
    for person, text in texts.items():
        (event,) = ledger.do(DEFINE_AUTH_RULE, "acme", text, actor=person)
        assert isinstance(event, AuthRuleDefined)
        seen.append((event.rule.rule_id, event.endorsements, event.is_effective))
        again = ledger.refusal(DEFINE_AUTH_RULE, "acme", text, actor=person)
        assert again is (R.RULE_INVALID if event.is_effective else R.ALREADY_ENDORSED)

    assert len({rule_id for rule_id, *_ in seen}) == 1
    assert [rest for _, *rest in seen] == [[1, False], [2, False], [3, True]]
    rules = ledger.query("OrganizationContract:GetOrganization", "acme")["rules"]
    assert isinstance(rules, list)
    assert len(rules) == 2


def test_a_rule_is_defined_by_stakeholders_of_an_active_organisation() -> None:
    """Strangers define none, and those of a proposal come with it."""
    ledger = three_people()
    ledger.do(CREATE_USER, "dave", a_hash(9), "US", "30")
    text = encode(TWO_OF_THREE)
    propose(ledger)

    assert ledger.refusal(DEFINE_AUTH_RULE, "acme", text, actor="alice") is R.ORGANIZATION_STATE
    assert ledger.refusal(DEFINE_AUTH_RULE, "acme", text, actor="dave") is R.NOT_A_STAKEHOLDER
    assert ledger.refusal(DEFINE_AUTH_RULE, "x", text, actor="dave") is R.ORGANIZATION_NOT_FOUND


def test_an_organisation_has_at_most_twenty_rules() -> None:
    """A bound on its record; one more is refused at once."""
    rules = [a_rule(threshold, 2) for threshold in range(20)]
    ledger = an_organization(*rules)
    surplus = encode(a_rule(50, 2))

    assert ledger.refusal(DEFINE_AUTH_RULE, "acme", surplus, actor="alice") is R.RULE_INVALID


def test_nobody_pays_for_an_organisation_alone() -> None:
    """A transfer whose actor bears the organisation's name does not pass by its approvers."""
    ledger = an_organization()

    assert ledger.refusal(TRANSFER_TOKENS, "acme", "dave", "5", "x") is R.ACTOR_MISMATCH
    assert ledger.balance("acme") == 1_000_000


def test_two_organisations_do_not_meet() -> None:
    """Each has its account, endorsements and rules."""
    ledger = an_organization()
    found(ledger, a_rule(0, 1), org_id="other")

    one = ledger.query("OrganizationContract:GetOrganization", "acme")
    other = ledger.query("OrganizationContract:GetOrganization", "other")
    assert one["rules"] != other["rules"]


RULES = st.builds(
    lambda threshold, group: st.integers(1, len(group)).map(
        lambda required: AuthRule(
            amount_threshold=Amount(threshold),
            required_approvers=required,
            approver_group=tuple(sorted(map(UserId, group))),
        )
    ),
    st.integers(0, 5),
    st.sets(st.sampled_from("abcd"), min_size=1),
).flatmap(lambda rule: rule)


@given(st.lists(RULES, max_size=6), st.integers(0, 6).map(Amount))
def test_the_strictest_rule_that_the_amount_reaches_applies(
    rules: list[AuthRule], amount: Amount
) -> None:
    """Most approvers, then the smallest group; the order of the rules does not matter."""
    chosen = strictest_rule(rules, amount)

    reached = [rule for rule in rules if rule.amount_threshold <= amount]
    assert (chosen is None) == (not reached)
    for rule in reached:
        assert chosen is not None
        assert (chosen.required_approvers, -len(chosen.approver_group)) >= (
            rule.required_approvers,
            -len(rule.approver_group),
        )
    assert strictest_rule(reversed(rules), amount) == chosen
