"""What each query answers: schemas generated from the read models, and examples."""

from typing import Final

from gx.domain.codec import JsonObject, JsonValue, wire_name_of
from gx.projection.identity_models import RELATIONSHIPS
from gx.projection.read_model import Column, ColumnType, ReadModel
from gx.projection.read_models import (
    ACCOUNT_ENTRIES,
    ACCOUNTS,
    COUNTRIES,
    SYSTEM_PARAMETERS,
    SYSTEM_STATUS,
    USERS,
)

_BASE_UNITS: Final[JsonObject] = {
    "type": "string",
    "pattern": "^(0|-?[1-9][0-9]{0,18})$",
    "description": "Base units.",
}
_INTEGER: Final[JsonObject] = {"type": "integer"}
_SECONDS: Final[JsonObject] = {
    "type": "integer",
    "description": "Seconds since the Unix epoch.",
}
_TEXT: Final[JsonObject] = {"type": "string"}
_JSON_TYPES: Final = {
    ColumnType.TEXT: "string",
    ColumnType.INTEGER: "integer",
    ColumnType.BIGINT: "integer",
    ColumnType.BOOLEAN: "boolean",
}


def model_schema(model: ReadModel, *, without: str | None = None) -> JsonObject:
    """Describe one row of a read model as queries answer it."""
    return _object(
        {
            wire_name_of(column.name): _column_schema(column)
            for column in model.all_columns
            if column.name != without
        }
    )


def _column_schema(column: Column) -> JsonObject:
    if column.is_amount:
        return _BASE_UNITS
    kind = _JSON_TYPES[column.type]
    kinds: JsonValue = [kind, "null"] if column.is_nullable else kind
    if column.name.endswith("_at"):
        return {"type": kinds, "description": "Seconds since the Unix epoch."}
    return {"type": kinds}


def _object(properties: JsonObject, optional: tuple[str, ...] = ()) -> JsonObject:
    return {
        "type": "object",
        "required": [name for name in properties if name not in optional],
        "properties": properties,
    }


def _page(item: JsonObject) -> JsonObject:
    return _object(
        {"items": {"type": "array", "items": item}, "nextCursor": {"type": ["string", "null"]}}
    )


_ACCOUNT: Final = model_schema(ACCOUNTS)

QUERY_SCHEMAS: Final[dict[str, JsonObject]] = {
    "system_status": model_schema(SYSTEM_STATUS, without="singleton"),
    "system_parameter": {
        "allOf": [model_schema(SYSTEM_PARAMETERS), _object({"unit": _TEXT}, optional=("unit",))]
    },
    "countries": _page(model_schema(COUNTRIES)),
    "country_stats": model_schema(COUNTRIES),
    "global_counters": _object(
        {
            "users": _INTEGER,
            "countries": _INTEGER,
            "genesisDistributed": _INTEGER,
            "minted": _BASE_UNITS,
        }
    ),
    "user": model_schema(USERS),
    "trust": _object({"userId": _TEXT, "trustScore": _INTEGER}),
    "relationships": _page(model_schema(RELATIONSHIPS)),
    "balance": _ACCOUNT,
    "treasury_balance": _ACCOUNT,
    "account_entries": _page(model_schema(ACCOUNT_ENTRIES)),
    "supply": _object({"minted": _BASE_UNITS, "balances": _BASE_UNITS, "cap": _BASE_UNITS}),
    "transaction_fee": _object(
        {
            "fromId": _TEXT,
            "toId": _TEXT,
            "amount": _BASE_UNITS,
            "fee": _BASE_UNITS,
            "feeRateBps": _INTEGER,
            "isCrossBorder": {"type": "boolean"},
            "total": _BASE_UNITS,
        }
    ),
    "velocity_tax": _object(
        {
            "accountId": _TEXT,
            "balance": _BASE_UNITS,
            "threshold": _BASE_UNITS,
            "isExempt": {"type": "boolean"},
            "isEligible": {"type": "boolean"},
            "asOf": _SECONDS,
            "timerStart": _SECONDS,
            "dueAt": _SECONDS,
            "taxAmount": _BASE_UNITS,
            "taxRateBps": _INTEGER,
            "treasuryShare": _BASE_UNITS,
            "charityShare": _BASE_UNITS,
        },
        optional=("timerStart", "dueAt"),
    ),
    "pools": _object(
        {
            "pools": {"type": "array", "items": _ACCOUNT},
            "genesis": _object(
                {
                    "distributed": _INTEGER,
                    "remaining": _INTEGER,
                    "phase": {"type": ["integer", "null"]},
                }
            ),
        }
    ),
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
}  # fmt: skip
"""An example of each query's answer, by the query's name."""
