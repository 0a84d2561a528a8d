"""Hypothesis strategies: loans and votes of the lending world, by people who may and may not."""

from hypothesis import strategies as st

from gx.domain.catalogue import (
    APPLY_FOR_LOAN,
    APPROVE_LOAN,
    EXECUTE_PROPOSAL,
    REJECT_LOAN,
    REPAY_LOAN,
    SUBMIT_PROPOSAL,
    VOTE_ON_PROPOSAL,
)
from gx.domain.commands import CommandSpec
from gx.domain.voting import Ballot
from tests.contracts.contract_ledger import COIN
from tests.contracts.lending_world import ASKED, DEED, DONE, LENT, OPEN, PAST

Call = tuple[CommandSpec, tuple[str, ...], str]

PERSON = st.sampled_from(["rich", "rich", "mum", "alice"])
LOAN = st.sampled_from([LENT, ASKED, *(f"rich~random-{number}" for number in range(8))])
PROPOSAL = st.sampled_from(
    [PAST, OPEN, DONE, *(f"feeUpperBps~random-{number}" for number in range(8))]
)
AMOUNT = st.sampled_from([1, 100 * COIN, 500 * COIN, 1_000_000 * COIN]).map(str)


def by(spec: CommandSpec, *args: st.SearchStrategy[str]) -> st.SearchStrategy[Call]:
    """Draw the arguments, and who does it."""
    return st.tuples(st.just(spec), st.tuples(*args), PERSON)


LOANS_BY_PARTNERS = st.one_of(
    by(APPLY_FOR_LOAN, PERSON, AMOUNT, st.just(DEED)),
    by(REPAY_LOAN, LOAN, AMOUNT),
    by(SUBMIT_PROPOSAL, st.just("feeUpperBps"), st.sampled_from(["8", "x"]), st.just("x")),
    by(VOTE_ON_PROPOSAL, PROPOSAL, st.sampled_from(Ballot).map(str)),
)
LOANS_BY_ADMINS = st.one_of(
    by(APPROVE_LOAN, LOAN), by(REJECT_LOAN, LOAN, st.just("x")), by(EXECUTE_PROPOSAL, PROPOSAL)
)
