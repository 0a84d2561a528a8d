"""What the queries about organisations answer: schemas and examples."""

from typing import Final

from gx.api.model_schemas import BASE_UNITS, INTEGER, TEXT, model_schema, object_schema, page_schema
from gx.domain.codec import JsonObject
from gx.projection.organization_models import MULTISIG_TRANSACTIONS, ORGANIZATIONS

_PEOPLE: Final[JsonObject] = {"type": "array", "items": TEXT}
_TIME: Final[JsonObject] = {
    "type": ["integer", "null"], "description": "Seconds since the Unix epoch.",
}  # fmt: skip


def _with(schema: JsonObject, further: JsonObject) -> JsonObject:
    """Add fields to an object's schema, or describe some of its fields otherwise."""
    properties = schema["properties"]
    assert isinstance(properties, dict)  # noqa: S101 - it is an object's schema
    return object_schema({**properties, **further})


_PAYMENT: Final = _with(
    model_schema(MULTISIG_TRANSACTIONS), {"approverGroup": _PEOPLE, "approvedBy": _PEOPLE}
)

ORGANIZATION_SCHEMAS: Final[dict[str, JsonObject]] = {
    "organization": _with(
        model_schema(ORGANIZATIONS),
        {
            "stakeholders": {
                "type": "array",
                "items": object_schema({"userId": TEXT, "endorsedAt": _TIME}),
            },
            "rules": {
                "type": "array",
                "items": object_schema(
                    {
                        "ruleId": TEXT,
                        "amountThreshold": BASE_UNITS,
                        "requiredApprovers": INTEGER,
                        "approverGroup": _PEOPLE,
                        "endorsements": INTEGER,
                        "effectiveAt": _TIME,
                    }
                ),
            },
        },
    ),
    "pending_transactions": page_schema(_PAYMENT),
    "multisig_transaction": _PAYMENT,
}
"""By the query's name."""

_PENDING_EXAMPLE: Final[JsonObject] = {
    "txId": "acme~bob~019a2f6e-7c1b-7d3a-9f04-2b8c51e0a7d6",
    "orgId": "acme",
    "toId": "bob",
    "amount": "150000000",
    "fee": "0",
    "remark": "Rent",
    "status": "Pending",
    "requiredApprovers": 2,
    "approverGroup": ["alice", "bob", "carol"],
    "approvals": 1,
    "initiatedBy": "alice",
    "initiatedAt": 1_763_750_000,
    "settledAt": None,
    "failureCode": None,
    "failureDetail": None,
    "approvedBy": ["alice"],
}

ORGANIZATION_EXAMPLES: Final[dict[str, JsonObject]] = {
    "organization": {
        "orgId": "acme",
        "name": "Acme Ltd",
        "type": "BUSINESS",
        "status": "Active",
        "proposedBy": "alice",
        "proposedAt": 1_763_749_000,
        "activatedAt": 1_763_749_600,
        "stakeholders": [
            {"userId": "alice", "endorsedAt": 1_763_749_100},
            {"userId": "bob", "endorsedAt": 1_763_749_200},
        ],
        "rules": [
            {
                "ruleId": "5f0c3f7a8d1e2b64",
                "amountThreshold": "0",
                "requiredApprovers": 2,
                "approverGroup": ["alice", "bob"],
                "endorsements": 2,
                "effectiveAt": 1_763_749_600,
            }
        ],
    },
    "pending_transactions": {"items": [_PENDING_EXAMPLE], "nextCursor": None},
    "multisig_transaction": {
        **_PENDING_EXAMPLE,
        "status": "ExecutionFailed",
        "approvals": 2,
        "approvedBy": ["alice", "carol"],
        "settledAt": 1_763_750_300,
        "failureCode": "INSUFFICIENT_FUNDS",
        "failureDetail": "acme holds 0 base units, 150000000 are needed",
    },
}
"""By the query's name."""
