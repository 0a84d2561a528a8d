"""What the submitter counts stands under labels that the catalogue declares."""

import pytest
from msgspec.structs import replace

from gx.domain.catalogue import COMMANDS
from gx.domain.refusals import RefusalCode
from gx.ledger.breaker import BreakerState
from gx.ledger.ports import ValidationCode
from gx.outbox.accounts import Accounts
from gx.runtime.clock import SystemClock
from gx.telemetry.catalogue.dimensions import INVALIDATIONS
from gx.telemetry.families import MetricsRegistry
from gx.telemetry.instruments import SubmitterMetrics, build_submitter_metrics
from tests.outbox.builders import a_refusal, a_settlement, an_entry, counted

FALLBACKS = {"OTHER", "other"}


@pytest.fixture
def metrics() -> SubmitterMetrics:
    """Make the instruments as the process does."""
    return build_submitter_metrics(
        MetricsRegistry(),
        command_types=tuple(COMMANDS),
        refusal_codes=tuple(code.value for code in RefusalCode),
    )


@pytest.fixture
def accounts(metrics: SubmitterMetrics) -> Accounts:
    """Count on these instruments."""
    return Accounts(metrics, SystemClock())


def test_every_label_is_a_declared_one(metrics: SubmitterMetrics, accounts: Accounts) -> None:
    """Fault: reasons in another spelling, so that all of them were counted as OTHER."""
    entry = an_entry(1)
    settlements = [
        a_settlement(entry.command_id, None),
        *(
            a_refusal(entry.command_id, None, code=code)  # one for each reason there is
            for code in RefusalCode
        ),
    ]
    for settlement in settlements:
        accounts.settled([entry], [settlement])
    accounts.retried([entry])
    accounts.unanswered([entry])
    accounts.buried(entry)
    for code in ValidationCode:
        accounts.transaction_ended(code, 0.1)
        if code is not ValidationCode.VALID:
            accounts.transaction_abandoned(code)
    accounts.transaction_abandoned(None)
    accounts.transaction_failed()
    for state in BreakerState:
        accounts.breaker(state)

    vectors = (
        metrics.processed,
        metrics.rejected,
        metrics.dead_lettered,
        metrics.transactions,
        metrics.reendorsements,
        metrics.breaker_transitions,
    )
    for vector in vectors:
        labels = counted(vector)
        assert labels
        assert not [values for values in labels if FALLBACKS & set(values)], labels
    assert counted(metrics.reendorsements).keys() == {
        *((code,) for code in INVALIDATIONS),
        ("NOT_FOUND",),
    }
    assert len(counted(metrics.rejected)) == len(RefusalCode)


def test_an_unknown_refusal_is_counted_as_other(
    metrics: SubmitterMetrics, accounts: Accounts
) -> None:
    """A ledger cannot make up labels."""
    entry = an_entry(1)
    accounts.settled([entry], [a_refusal(entry.command_id, None, code="OF_NEXT_YEAR")])

    assert counted(metrics.rejected) == {("TRANSFER_TOKENS", "OTHER"): 1}
    assert counted(metrics.processed) == {("rejected", "TRANSFER_TOKENS"): 1}


def test_a_command_of_another_release_is_counted_as_other(
    metrics: SubmitterMetrics, accounts: Accounts
) -> None:
    """It may ride in an envelope that was adopted: counting it must not end the term."""
    entry = replace(an_entry(1), command_type="FROM_THE_FUTURE")
    accounts.settled([entry], [a_settlement(entry.command_id, None)])
    accounts.retried([entry])
    accounts.unanswered([entry])
    accounts.buried(entry)

    assert counted(metrics.processed) == {
        ("success", "other"): 1,
        ("retry", "other"): 1,
        ("failed", "other"): 2,
    }


def test_a_conflict_is_neither_success_nor_error(
    metrics: SubmitterMetrics, accounts: Accounts
) -> None:
    """The transaction is made anew, which is counted where its envelope is given up."""
    accounts.transaction_ended(ValidationCode.MVCC_READ_CONFLICT, 0.1)
    assert counted(metrics.transactions) == {}
