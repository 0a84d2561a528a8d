"""No secret gets through, and what people need stays readable."""

from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gx.telemetry.redaction import OMITTED, REDACTED, redact_field, redact_text

PEM: Final = "-----BEGIN EC PRIVATE KEY-----\nMHcCAQEEIh0nse\n-----END EC PRIVATE KEY-----"
JWT: Final = "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJ4In0.c2lnbmF0dXJl"


@pytest.mark.parametrize(
    ("text", "kept", "gone"),
    [
        pytest.param(
            "postgresql://gx:h0nse@127.0.0.1:5432/gx", "127.0.0.1:5432/gx", "h0nse", id="dsn"
        ),
        pytest.param("redis://:h0nse@localhost/0", "@localhost/0", "h0nse", id="no user"),
        pytest.param("postgres://gx:h0@n/se@db/gx", "@db/gx", "n/se", id="awkward password"),
        pytest.param("host=db password=h0nse user=gx", "user=gx", "h0nse", id="key and value"),
        pytest.param("password='h0 nse' user=gx", "user=gx", "nse", id="quoted value"),
        pytest.param('{"token": "h0nse", "id": 7}', '"id": 7', "h0nse", id="json"),
        pytest.param("PGPASSWORD=h0nse psql", "psql", "h0nse", id="environment"),
        pytest.param("Authorization: Bearer h0nse.x done", "done", "h0nse", id="bearer"),
        pytest.param("authorization: basic aDBuc2U=", "basic", "aDBuc2U", id="basic"),
        pytest.param(f"cannot read {JWT} now", "cannot read", "eyJ", id="bare token"),
        pytest.param(f"key {PEM} end", "end", "MHcCAQEEIh0nse", id="private key"),
        pytest.param(PEM[:40], "", "MHc", id="torn private key"),
    ],
)
def test_a_secret_inside_a_text_is_cut_out(text: str, kept: str, gone: str) -> None:
    """The secret goes, the rest of the text stays."""
    redacted = redact_text(text)

    assert gone not in redacted
    assert kept in redacted
    assert REDACTED in redacted


@pytest.mark.parametrize(
    "text",
    [
        "command_committed",
        "http://127.0.0.1:9090/metrics",
        "transfer of 5 coins from alice to bob = done",
        "TRANSFER_TOKENS",
        "the token has expired",
    ],
)
def test_a_harmless_text_stays_as_it_is(text: str) -> None:
    """Addresses, command types and plain words are not mistaken for secrets."""
    assert redact_text(text) == text


@pytest.mark.parametrize(
    "key",
    [
        *("password", "db_password", "PASSWORD", "client_secret", "token", "accessToken"),
        *("Authorization", "api_key", "apikey", "private_key", "signing_key", "cookie", "jwt"),
    ],
)
def test_a_secret_is_known_by_its_name(key: str) -> None:
    """Whatever such a field holds is hidden, at any depth; only an absent one stays visible."""
    assert redact_field(key, "h0nse") == REDACTED
    assert redact_field(key, 1234) == REDACTED
    assert redact_field("outer", {"list": [{key: "h0nse"}]}) == {"list": [{key: REDACTED}]}
    assert redact_field(key, None) is None


@pytest.mark.parametrize("key", ["payload", "arguments", "body", "envelope"])
def test_payloads_are_not_logged(key: str) -> None:
    """What a command says is its owner's business."""
    assert redact_field(key, {"amount": "5"}) == OMITTED


def test_ids_and_numbers_are_logged() -> None:
    """What finds a command again is kept as it is."""
    fields = {"command_id": "0190-ab", "idempotency_key": "k1", "block": 7, "ok": True, "s": 0.5}

    assert {key: redact_field(key, value) for key, value in fields.items()} == fields


def test_anything_becomes_something_json_knows() -> None:
    """Bytes, errors, sets, unknown objects and endless nesting cannot break a log line."""
    nested: list[object] = []
    nested.append(nested)

    assert redact_field("raw", b"12345") == "<5 bytes>"
    assert redact_field("error", ValueError("password=h0nse")) == f"ValueError: password={REDACTED}"
    assert redact_field("path", pytest.MonkeyPatch) == str(pytest.MonkeyPatch)
    assert redact_field("ids", {"one"}) == ["one"]
    assert OMITTED in str(redact_field("nested", nested))


def test_a_long_text_is_cut() -> None:
    """One log line has a bound, and says how much is missing."""
    assert redact_text("x" * 100_000).endswith("… (100000 characters)")
    assert len(redact_text("x" * 100_000)) < 20_000


@given(secret=st.from_regex(r"[A-Za-z0-9!$%*+.^_~-]{8,40}", fullmatch=True))
def test_no_dsn_password_survives(secret: str) -> None:
    """Whatever the password looks like, a DSN in an error message does not show it."""
    text = f"cannot connect to postgresql://gx:{secret}@db.internal:5432/gx?sslmode=require now"

    assert secret not in redact_text(text)


def test_an_error_without_a_text_is_told_by_its_name() -> None:
    """An empty field says nothing to whoever is on call."""
    assert redact_field("error", TimeoutError()) == "TimeoutError"
