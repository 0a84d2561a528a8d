"""What each query answers: schemas generated from the read models, and examples."""

from typing import Final

from gx.api.loan_schemas import LOAN_EXAMPLES, LOAN_SCHEMAS
from gx.api.model_schemas import (
    BASE_UNITS,
    INTEGER,
    SECONDS,
    TEXT,
    model_schema,
    object_schema,
    page_schema,
)
from gx.api.organization_schemas import ORGANIZATION_EXAMPLES, ORGANIZATION_SCHEMAS
from gx.domain.codec import JsonObject
from gx.projection.identity_models import RELATIONSHIPS
from gx.projection.read_models import (
    ACCOUNT_ENTRIES,
    ACCOUNTS,
    COUNTRIES,
    SYSTEM_PARAMETERS,
    SYSTEM_STATUS,
    USERS,
)

_ACCOUNT: Final = model_schema(ACCOUNTS)

QUERY_SCHEMAS: Final[dict[str, JsonObject]] = {
    "system_status": model_schema(SYSTEM_STATUS, without="singleton"),
    "system_parameter": {
        "allOf": [
            model_schema(SYSTEM_PARAMETERS),
            object_schema({"unit": TEXT}, optional=("unit",)),
        ]
    },
    "countries": page_schema(model_schema(COUNTRIES)),
    "country_stats": model_schema(COUNTRIES),
    "global_counters": object_schema(
        {
            "users": INTEGER,
            "countries": INTEGER,
            "genesisDistributed": INTEGER,
            "minted": BASE_UNITS,
        }
    ),
    "user": model_schema(USERS),
    "trust": object_schema({"userId": TEXT, "trustScore": INTEGER}),
    "relationships": page_schema(model_schema(RELATIONSHIPS)),
    "balance": _ACCOUNT,
    "treasury_balance": _ACCOUNT,
    "account_entries": page_schema(model_schema(ACCOUNT_ENTRIES)),
    "supply": object_schema({"minted": BASE_UNITS, "balances": BASE_UNITS, "cap": BASE_UNITS}),
    "transaction_fee": object_schema(
        {
            "fromId": TEXT,
            "toId": TEXT,
            "amount": BASE_UNITS,
            "fee": BASE_UNITS,
            "feeRateBps": INTEGER,
            "isCrossBorder": {"type": "boolean"},
            "total": BASE_UNITS,
        }
    ),
    "velocity_tax": object_schema(
        {
            "accountId": TEXT,
            "balance": BASE_UNITS,
            "threshold": BASE_UNITS,
            "isExempt": {"type": "boolean"},
            "isEligible": {"type": "boolean"},
            "asOf": SECONDS,
            "timerStart": SECONDS,
            "dueAt": SECONDS,
            "taxAmount": BASE_UNITS,
            "taxRateBps": INTEGER,
            "treasuryShare": BASE_UNITS,
            "charityShare": BASE_UNITS,
        },
        optional=("timerStart", "dueAt"),
    ),
    "pools": object_schema(
        {
            "pools": {"type": "array", "items": _ACCOUNT},
            "genesis": object_schema(
                {
                    "distributed": INTEGER,
                    "remaining": INTEGER,
                    "phase": {"type": ["integer", "null"]},
                }
            ),
        }
    ),
    **LOAN_SCHEMAS,
    **ORGANIZATION_SCHEMAS,
}
"""The schema of each query's answer, by the query's name."""

_ACCOUNT_EXAMPLE: Final[JsonObject] = {
    "accountId": "alice",
    "balance": "499850000000",
    "kind": "wallet",
    "status": "Active",
    "isFrozen": False,
    "freezeReason": None,
    "country": "US",
    "taxTimerStartedAt": 1_763_750_000,
}
_TREASURY_EXAMPLE: Final[JsonObject] = {
    **_ACCOUNT_EXAMPLE,
    "accountId": "treasury_US",
    "balance": "5000000000",
    "kind": "treasury",
    "taxTimerStartedAt": None,
}
_POOL_EXAMPLE: Final[JsonObject] = {
    **_ACCOUNT_EXAMPLE,
    "accountId": "SYSTEM_LOAN_POOL",
    "balance": "10000000000000000",
    "kind": "system",
    "country": None,
    "taxTimerStartedAt": None,
}
_COUNTRY_EXAMPLE: Final[JsonObject] = {
    "countryCode": "US",
    "percentage": "4.2",
    "treasuryId": "treasury_US",
    "openedAt": 1_763_750_000,
    "users": 1,
    "genesisUsers": 1,
    "genesisUserAmount": "50000000000",
    "genesisTreasuryAmount": "5000000000",
}
_ENTRY_EXAMPLE: Final[JsonObject] = {
    "accountId": "alice",
    "blockNumber": 42,
    "position": 0,
    "ordinal": 0,
    "kind": "transfer",
    "delta": "-150000000",
    "counterparty": "bob",
    "remark": "Lunch",
    "recordedAt": 1_763_750_000,
    "transactionId": "9d" * 32,
    "commandId": "019a2f6e-7c1b-7d3a-9f04-2b8c51e0a7d6",
}

QUERY_EXAMPLES: Final[dict[str, JsonObject]] = {
    "system_status": {
        "isBootstrapped": True,
        "bootstrappedAt": 1_763_749_000,
        "isPaused": False,
        "pauseReason": None,
        "pausedAt": None,
        "resumedAt": None,
    },
    "system_parameter": {
        "id": "feeLowerBps", "value": "5", "updatedAt": 1_763_749_000, "unit": "basis points",
    },
    "countries": {"items": [_COUNTRY_EXAMPLE], "nextCursor": None},
    "country_stats": _COUNTRY_EXAMPLE,
    "global_counters": {
        "users": 1, "countries": 3, "genesisDistributed": 1, "minted": "95000000000000000",
    },
    "user": {
        "userId": "alice",
        "nationality": "US",
        "age": 34,
        "status": "Active",
        "lockReason": None,
        "trustScore": 10,
        "createdAt": 1_763_749_500,
        "genesisAt": 1_763_750_000,
        "genesisPhase": 1,
        "genesisAmount": "50000000000",
    },
    "trust": {"userId": "alice", "trustScore": 10},
    "relationships": {
        "items": [
            {
                "relationshipId": "alice~PARENT~bob",
                "subjectId": "alice",
                "objectId": "bob",
                "type": "PARENT",
                "status": "Confirmed",
                "requestedAt": 1_763_750_000,
                "confirmedAt": 1_763_750_060,
            }
        ],
        "nextCursor": None,
    },
    "balance": _ACCOUNT_EXAMPLE,
    "treasury_balance": _TREASURY_EXAMPLE,
    "account_entries": {"items": [_ENTRY_EXAMPLE], "nextCursor": None},
    "supply": {
        "minted": "95000000000000000",
        "balances": "95000000000000000",
        "cap": "9200000000000000000",
    },
    "transaction_fee": {
        "fromId": "alice",
        "toId": "bob",
        "amount": "1000000000",
        "fee": "500000",
        "feeRateBps": 5,
        "isCrossBorder": False,
        "total": "1000500000",
    },
    "velocity_tax": {
        "accountId": "alice",
        "balance": "50000000000",
        "threshold": "10000000000",
        "isExempt": False,
        "isEligible": True,
        "asOf": 1_794_900_000,
        "timerStart": 1_763_750_000,
        "dueAt": 1_794_854_000,
        "taxAmount": "1500000000",
        "taxRateBps": 300,
        "treasuryShare": "1050000000",
        "charityShare": "450000000",
    },
    "pools": {
        "pools": [_POOL_EXAMPLE],
        "genesis": {"distributed": 1, "remaining": 2_749_999, "phase": 1},
    },
    **LOAN_EXAMPLES,
    **ORGANIZATION_EXAMPLES,
}  # fmt: skip
"""An example of each query's answer, by the query's name."""
