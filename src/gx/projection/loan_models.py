"""Read models about loans and votes."""

from typing import Final

from gx.domain.lending import LoanStatus
from gx.domain.voting import ProposalStatus
from gx.projection.read_model import (
    ReadModel,
    amount_column,
    count_column,
    key_column,
    small_column,
    text_column,
    time_column,
)

LOANS: Final = ReadModel(
    name="loans",
    key=(key_column("loan_id"),),
    columns=(
        text_column("borrower_id"),
        amount_column("amount"),
        amount_column("outstanding"),
        amount_column("repaid"),
        text_column("status", LoanStatus.PENDING.value),
        text_column("collateral_hash"),
        small_column("trust_score"),
        count_column("applied_at"),
        time_column("decided_at"),
        text_column("reject_reason", None),
        time_column("repaid_at"),
    ),
    fillfactor=80,
    indexes=(("borrower_id", "applied_at", "loan_id"),),
)
"""`trust_score` is what the borrower's was at the application."""

PROPOSALS: Final = ReadModel(
    name="proposals",
    key=(key_column("proposal_id"),),
    columns=(
        text_column("target_param"),
        text_column("new_value"),
        text_column("title"),
        text_column("proposer_id"),
        text_column("status", ProposalStatus.OPEN.value),
        text_column("reject_reason", None),
        count_column("submitted_at"),
        time_column("ends_at"),
        time_column("decided_at"),
        count_column("votes_for"),
        count_column("votes_against"),
        count_column("votes_abstain"),
    ),
    fillfactor=50,
    indexes=(("submitted_at", "proposal_id"),),
)
