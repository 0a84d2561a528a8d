"""What queries answer about loans and proposals: schemas and examples."""

from typing import Final

from gx.api.model_schemas import model_schema, page_schema
from gx.domain.catalogue.governance import EXAMPLE_PROPOSAL
from gx.domain.catalogue.loans import EXAMPLE_LOAN
from gx.domain.catalogue.vocabulary import EXAMPLE_HASH
from gx.domain.codec import JsonObject
from gx.projection.loan_models import LOANS, PROPOSALS

LOAN_EXAMPLE: Final[JsonObject] = {
    "loanId": EXAMPLE_LOAN,
    "borrowerId": "alice",
    "amount": "50000000000",
    "outstanding": "30000000000",
    "repaid": "20000000000",
    "status": "Active",
    "collateralHash": EXAMPLE_HASH,
    "trustScore": 80,
    "appliedAt": 1_763_750_000,
    "decidedAt": 1_763_750_600,
    "rejectReason": None,
    "repaidAt": None,
}
PROPOSAL_EXAMPLE: Final[JsonObject] = {
    "proposalId": EXAMPLE_PROPOSAL,
    "targetParam": "feeLowerBps",
    "newValue": "4",
    "title": "Cheaper small transfers",
    "proposerId": "alice",
    "status": "Executed",
    "rejectReason": None,
    "submittedAt": 1_763_750_000,
    "endsAt": 1_764_959_600,
    "decidedAt": 1_764_960_000,
    "votesFor": 70,
    "votesAgainst": 30,
    "votesAbstain": 5,
}

LOAN_SCHEMAS: Final[dict[str, JsonObject]] = {
    "loan": model_schema(LOANS),
    "user_loans": page_schema(model_schema(LOANS)),
    "proposal": model_schema(PROPOSALS),
    "proposals": page_schema(model_schema(PROPOSALS)),
}
"""The schema of each query's answer, by the query's name."""

LOAN_EXAMPLES: Final[dict[str, JsonObject]] = {
    "loan": LOAN_EXAMPLE,
    "user_loans": {"items": [LOAN_EXAMPLE], "nextCursor": None},
    "proposal": PROPOSAL_EXAMPLE,
    "proposals": {"items": [PROPOSAL_EXAMPLE], "nextCursor": None},
}
"""An example of each query's answer, by the query's name."""
