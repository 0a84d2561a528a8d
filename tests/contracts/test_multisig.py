"""OrganizationContract: payments that several approve, paid once and final either way."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gx.domain.amounts import SUPPLY_CAP
from gx.domain.catalogue import (
    APPROVE_MULTISIG_TX,
    DEFINE_AUTH_RULE,
    FREEZE_WALLET,
    INITIATE_MULTISIG_TX,
    LOCK_USER,
    PROPOSE_ORGANIZATION,
)
from gx.domain.codec import JsonObject, encode
from gx.domain.organization_events import (
    MultiSigTxApproved,
    MultiSigTxExecuted,
    MultiSigTxFailed,
    MultiSigTxInitiated,
)
from gx.domain.refusals import RefusalCode
from gx.domain.roles import LedgerRole
from tests.contracts.acme import (
    PEOPLE,
    STAKEHOLDERS,
    a_rule,
    an_organization,
    approve,
    initiate,
)
from tests.contracts.contract_ledger import ContractLedger, coins, give

R = RefusalCode


def payment(ledger: ContractLedger, tx_id: str) -> JsonObject:
    """Ask the contract for a payment."""
    return ledger.query("OrganizationContract:GetMultiSigTx", tx_id)


def test_the_second_of_two_approvals_pays() -> None:
    """The initiator's counts; the third finds a final payment."""
    ledger = an_organization()
    tx_id = initiate(ledger, 1_000)
    assert (payment(ledger, tx_id)["status"], ledger.balance("dave")) == ("Pending", 0)

    approved, executed = ledger.do(APPROVE_MULTISIG_TX, tx_id, actor="bob")

    assert isinstance(approved, MultiSigTxApproved)
    assert isinstance(executed, MultiSigTxExecuted)
    assert (approved.approvals, approved.required_approvers) == (2, 2)
    assert [(change.account_id, change.delta) for change in executed.changes] == [
        ("acme", -1_000),
        ("dave", 1_000),
    ]
    assert (ledger.balance("acme"), ledger.balance("dave")) == (999_000, 1_000)
    assert payment(ledger, tx_id)["status"] == "Executed"
    for person in PEOPLE:
        assert ledger.refusal(APPROVE_MULTISIG_TX, tx_id, actor=person) is R.MULTISIG_NOT_PENDING
    assert ledger.balance("dave") == 1_000


def test_the_id_names_payer_and_recipient() -> None:
    """So whoever approves it tells by the id alone which accounts it may move."""
    ledger = an_organization()

    tx_id = initiate(ledger, 5)

    assert tx_id.startswith("acme~dave~command-")


def test_an_initiator_outside_the_group_does_not_count() -> None:
    """A stakeholder may want a payment of which others decide."""
    ledger = an_organization(a_rule(0, 2, "bob", "carol"))
    tx_id = initiate(ledger, 1_000)

    assert payment(ledger, tx_id)["approvedBy"] == []
    assert ledger.refusal(APPROVE_MULTISIG_TX, tx_id, actor="alice") is R.NOT_A_STAKEHOLDER
    approve(ledger, tx_id, "carol", "bob")
    assert ledger.balance("dave") == 1_000


def test_a_rule_of_one_pays_at_once() -> None:
    """Its only approver has approved by initiating."""
    ledger = an_organization(a_rule(0, 1))

    initiated, executed = ledger.do(
        INITIATE_MULTISIG_TX, "acme", "dave", "7", "Rent", actor="carol"
    )

    assert isinstance(initiated, MultiSigTxInitiated)
    assert isinstance(executed, MultiSigTxExecuted)
    assert (initiated.approvals, ledger.balance("dave")) == (1, 7)


def test_a_larger_amount_asks_more_people() -> None:
    """The strictest rule that the amount reaches; below the lowest threshold none applies."""
    ledger = an_organization(a_rule(10, 1), a_rule(100, 3), a_rule(100, 2))

    assert ledger.refusal(INITIATE_MULTISIG_TX, "acme", "dave", "9", "x", actor="bob") is (
        R.NO_MATCHING_RULE
    )
    for amount, required in ((99, 1), (100, 3), (101, 3)):
        tx_id = initiate(ledger, amount)
        rule = payment(ledger, tx_id)["rule"]
        assert isinstance(rule, dict)
        assert rule["requiredApprovers"] == required


def test_the_rule_is_the_one_of_the_beginning() -> None:
    """What was asked of a payment does not change while it waits."""
    ledger = an_organization()
    tx_id = initiate(ledger, 1_000)
    for person in PEOPLE:
        ledger.do(DEFINE_AUTH_RULE, "acme", encode(a_rule(0, 3)), actor=person)

    approve(ledger, tx_id, "bob")

    assert ledger.balance("dave") == 1_000


def test_a_fee_is_paid_on_top() -> None:
    """An organisation pays what a user pays for a domestic transfer; it has no country."""
    ledger = an_organization(a_rule(0, 1), holds=0)
    give(ledger, "acme", coins(1_000))

    _, executed = ledger.do(
        INITIATE_MULTISIG_TX, "acme", "carol", coins(100), "Rent", actor="alice"
    )

    assert isinstance(executed, MultiSigTxExecuted)
    assert (executed.fee_rate_bps, executed.fee) == (5, 5_000_000)
    assert ledger.balance("acme") == 900 * 100_000_000 - 5_000_000


def test_an_organisation_is_not_taxed_for_holding() -> None:
    """No timer runs on its account, however much it holds."""
    ledger = an_organization(holds=0)

    give(ledger, "acme", coins(1_000))

    assert ledger.account("acme").tax_timer_started_at is None


@pytest.mark.parametrize(
    ("spoil", "code"), [("spend", R.INSUFFICIENT_FUNDS), ("freeze", R.ACCOUNT_FROZEN)]
)
def test_a_payment_that_fails_stays_failed(spoil: str, code: RefusalCode) -> None:
    """The approval stands, no coin moves, the reason is kept, and nothing tries it again."""
    ledger = an_organization(holds=500 if spoil == "spend" else 5_000)
    tx_id = initiate(ledger, 1_000)
    if spoil == "freeze":
        ledger.do(FREEZE_WALLET, "dave", "x")
    before = ledger.total(), ledger.balance("acme"), ledger.balance("dave")

    approved, failed = ledger.do(APPROVE_MULTISIG_TX, tx_id, actor="carol")

    assert isinstance(approved, MultiSigTxApproved)
    assert isinstance(failed, MultiSigTxFailed)
    assert (failed.code, failed.changes) == (code, ())
    assert before == (ledger.total(), ledger.balance("acme"), ledger.balance("dave"))
    told = payment(ledger, tx_id)
    assert (told["status"], told["failure"]) == ("ExecutionFailed", code)
    give(ledger, "acme", "100000")
    assert ledger.refusal(APPROVE_MULTISIG_TX, tx_id, actor="bob") is R.MULTISIG_NOT_PENDING


def test_two_payments_of_the_same_coins_are_not_both_paid() -> None:
    """The second finds too little and fails for good."""
    ledger = an_organization(holds=1_000)
    one, two = initiate(ledger, 800), initiate(ledger, 800)

    approve(ledger, one, "bob")
    approve(ledger, two, "bob")

    assert [payment(ledger, tx_id)["status"] for tx_id in (one, two)] == [
        "Executed",
        "ExecutionFailed",
    ]
    assert (ledger.balance("acme"), ledger.balance("dave")) == (200, 800)


def test_more_than_can_exist_is_refused_at_once() -> None:
    """Such an amount would fit no read model, and could never be paid."""
    ledger = an_organization()
    arguments = ("acme", "dave", str(SUPPLY_CAP + 1), "x")

    assert ledger.refusal(INITIATE_MULTISIG_TX, *arguments, actor="bob") is R.AMOUNT_OVERFLOW


def test_who_is_locked_neither_initiates_nor_approves() -> None:
    """Else a court's order not to send would end at an organisation's door."""
    ledger = an_organization()
    tx_id = initiate(ledger, 10)
    ledger.do(LOCK_USER, "bob", "court order")

    assert ledger.refusal(APPROVE_MULTISIG_TX, tx_id, actor="bob") is R.USER_NOT_ACTIVE
    assert ledger.refusal(INITIATE_MULTISIG_TX, "acme", "dave", "9", "x", actor="bob") is (
        R.USER_NOT_ACTIVE
    )


def test_strangers_have_no_part_in_it() -> None:
    """Neither initiating nor approving, nor an identity that acts for no user."""
    ledger = an_organization()
    tx_id = initiate(ledger, 10)

    assert ledger.refusal(INITIATE_MULTISIG_TX, "acme", "dave", "9", "x", actor="dave") is (
        R.NOT_A_STAKEHOLDER
    )
    assert ledger.refusal(APPROVE_MULTISIG_TX, tx_id, actor="dave") is R.NOT_A_STAKEHOLDER
    assert ledger.refusal(
        APPROVE_MULTISIG_TX, tx_id, actor="bob", role=LedgerRole.SUPER_ADMIN
    ) is R.ACTOR_MISMATCH  # fmt: skip


@pytest.mark.parametrize("name", ["", "acme", "acme~dave", "acme~dave~x~y", "a b~c~d"])
def test_an_approval_names_a_payment(name: str) -> None:
    """Anything else is malformed, not merely unknown."""
    ledger = an_organization()

    assert ledger.refusal(APPROVE_MULTISIG_TX, name, actor="bob") is R.ARGUMENT_INVALID


def test_an_organisation_that_is_not_active_pays_nothing() -> None:
    """Its endorsements are not complete, so its rules count for nothing."""
    ledger = an_organization()
    arguments = ("later", "Later", "NGO", STAKEHOLDERS, "[]")
    ledger.do(PROPOSE_ORGANIZATION, *arguments, actor="alice")

    assert ledger.refusal(INITIATE_MULTISIG_TX, "later", "dave", "9", "x", actor="bob") is (
        R.ORGANIZATION_STATE
    )


ACTS = st.lists(
    st.tuples(st.sampled_from((*PEOPLE, "dave")), st.integers(0, 3), st.sampled_from((40, 900))),
    max_size=25,
)


@given(ACTS, st.integers(1, 3))
def test_each_payment_is_paid_once_at_most(
    acts: Sequence[tuple[str, int, int]], required: int
) -> None:
    """Whoever initiates and approves in whatever order: each actor counts once, coins are kept."""
    ledger = an_organization(a_rule(0, required), holds=2_000)
    before, paid = ledger.total(), 0
    known: list[str] = []
    for actor, choice, amount in acts:
        if choice < len(known):
            outcome = ledger.send(APPROVE_MULTISIG_TX, known[choice], actor=actor)
        else:
            outcome = ledger.send(
                INITIATE_MULTISIG_TX, "acme", "dave", str(amount), "x", actor=actor
            )
            if outcome.result is not None:
                known.append(str(outcome.result["txId"]))
        paid += sum(event["eventType"] == "MultiSigTxExecuted" for event in outcome.events)

    told = [payment(ledger, tx_id) for tx_id in known]
    executed = [one for one in told if one["status"] == "Executed"]
    assert paid == len(executed)
    assert ledger.balance("dave") == sum(int(str(one["amount"])) for one in executed)
    assert ledger.total() == before
    for one in told:
        approvers = one["approvedBy"]
        assert isinstance(approvers, list)
        assert len(set(map(str, approvers))) == len(approvers) <= required
        assert (one["status"] == "Pending") == (len(approvers) < required)
