"""What those who hurt a run wrote down of it, for the judge."""

import json
from base64 import urlsafe_b64decode
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Final

import msgspec

_API: Final = "/api/v1"
_TYPES: Final = {
    "/admin/mint": "MINT_COINS",
    "/transfers": "TRANSFER_TOKENS",
    "/users": "CREATE_USER",
}


class ExpectedAlert(msgspec.Struct, frozen=True, rename={"from_s": "from", "to_s": "to"}):
    """An alert that must fire at some moment between two times, in seconds since the epoch."""

    alert: str
    from_s: float
    to_s: float


class AlertNotes(msgspec.Struct, frozen=True, rename={"from_s": "from", "to_s": "to"}):
    """Which alerts belong to a run. `collateral` may fire; whatever else fires is a fault."""

    prometheus: str
    from_s: float
    to_s: float
    expected: list[ExpectedAlert] = []
    collateral: list[str] = []


class Request(msgspec.Struct, frozen=True):
    """What a client asked for, in its own words; `key_hash` is what its key is stored as."""

    type: str
    arguments: dict[str, str]
    actor: str
    key_hash: str | None = None


class Notes(msgspec.Struct, frozen=True):
    """A run as its clients and its faults saw it."""

    accepted: dict[str, str]
    """The idempotency key of each command that a client was told is accepted."""
    requests: dict[str, Request] = {}
    """What clients asked for when they were given these ids."""
    refusals_allowed: list[str] = []
    """Codes with which anything may be refused, as while a chaincode is of an older version."""
    prior: list[str] | None = None
    """What was stored before the clients began; None if nobody looked, then nothing is unasked."""
    poison: list[str] = []
    """Commands that must end as dead letters; no others may."""
    repeats_allowed: bool = False
    """Whether the ledger may have had to answer a command again: PostgreSQL lost its memory."""
    alerts: AlertNotes | None = None


def request_to_api(
    path: str,
    body: Mapping[str, str | int],
    *,
    key: str,
    token: str,
    on_behalf_of: str | None = None,
) -> Request:
    """Note a request as it is sent. A key counts within issuer, subject and route."""
    _, payload, _ = token.split(".")
    claims = json.loads(urlsafe_b64decode(payload + "=="))
    parts = [claims["iss"], claims["sub"], _API + path, key]
    return Request(
        type=_TYPES[path],
        arguments={name: str(value) for name, value in body.items()},
        actor=on_behalf_of or claims["sub"],
        key_hash=sha256(msgspec.json.encode(parts)).hexdigest(),
    )


def read_notes(path: Path) -> Notes:
    """Read what was written down."""
    return msgspec.json.decode(path.read_bytes(), type=Notes)
