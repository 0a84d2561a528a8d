"""Request bodies: what is no plain JSON object never gets past the edge."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gx.domain.refusals import RefusalCode
from gx.domain.roles import TokenRole
from tests.api.parts import TRANSFER, Backend
from tests.api.sending import TRANSFERS


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"nonsense",
        b"null",
        b'"text"',
        b"[]",
        b'{"fromId":"alice"',
        b'{"fromId":"alice"}trailing',
        b'{"fromId":NaN}',
        b'{"fromId":"\xff"}',
        b'{"fromId":"\\ud800"}',
        b'{"fromId":"a\x00b"}',
        b"\xef\xbb\xbf{}",
        b"[" * 30_000,
        b'{"a":' * 10_000,
        b'{"amount":' + b"9" * 30_000 + b"}",
        b'{"fromId":"alice","toId":"bob","amount":"1","remark":"a","amount":"2"}',
        b'{"fromId":"alice","toId":"bob","amount":"1","remark":"a:b","remark":"colon"}',
        b'{"fromId":"alice","toId":"bob","amount":"1","remark":"a","re\\u006dark":"escaped"}',
    ],
    ids=lambda body: f"{body[:60]!r}{len(body)}",
)
async def test_what_is_no_plain_json_object_is_refused(backend: Backend, body: bytes) -> None:
    """Malformed, nested without end, ambiguous or foreign JSON never gets past the edge."""
    async with backend.client() as client:
        response = await client.post(
            TRANSFERS, content=body, headers={"Content-Type": "application/json"}
        )

    assert (response.status_code, response.json()["code"]) == (400, "ARGUMENT_INVALID")
    assert not backend.outbox.commands


async def test_half_a_surrogate_pair_is_called_so(backend: Backend) -> None:
    """Nothing is truncated, whatever the decoder says."""
    async with backend.client() as client:
        response = await client.post(TRANSFERS, content=b'{"remark":"\\ud800"}')
    assert "half of a surrogate pair" in response.json()["detail"]


async def test_a_foreign_content_type_is_shown_as_it_was_sent(backend: Backend) -> None:
    """A client's developer need not know how Python writes bytes."""
    async with backend.client() as client:
        response = await client.post(
            TRANSFERS, content=b"{}", headers={"Content-Type": "text/plain"}
        )
    assert response.json()["detail"] == "send JSON as application/json, not as text/plain"


async def test_a_member_named_twice_deep_inside_is_found(backend: Backend) -> None:
    """Ambiguity counts at every depth."""
    body = b'{"countries":[{"countryCode":"US","percentage":"1","percentage":"2"}]}'
    async with backend.super_admin() as client:
        response = await client.post("/api/v1/admin/countries/initialize", content=body)

    assert response.status_code == 400
    assert "percentage" in response.json()["detail"]


@pytest.mark.parametrize(
    ("content_type", "status"),
    [
        ("application/json", 202),
        ("application/json; charset=utf-8", 202),
        ("APPLICATION/JSON", 202),
        ("application/vnd.gx+json", 202),
        ("text/plain", 400),
        ("application/x-www-form-urlencoded", 400),
        ("multipart/form-data; boundary=x", 400),
    ],
)
async def test_bodies_are_json(backend: Backend, content_type: str, status: int) -> None:
    """A form that a browser sends across sites is no command."""
    async with backend.client() as client:
        response = await client.post(
            TRANSFERS,
            content=b'{"fromId":"alice","toId":"bob","amount":"1","remark":"Lunch"}',
            headers={"Content-Type": content_type},
        )

    assert response.status_code == status


@given(
    body=st.dictionaries(
        st.sampled_from([*TRANSFER, "memo"]),
        st.one_of(
            st.text(max_size=30),
            st.integers(),
            st.floats(allow_nan=False, allow_infinity=False),
            st.none(),
        ),
        max_size=5,
    )
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_no_body_makes_the_edge_fail(
    backend: Backend, body: dict[str, str | int | float | None]
) -> None:
    """Whatever a client sends is accepted or refused with a code, never an error of ours."""
    async with backend.client() as client:
        response = await client.post(TRANSFERS, json=body)

    assert response.status_code in (202, 400, 403, 422)
    if response.status_code != 202:
        assert response.json()["code"] in RefusalCode.__members__


@pytest.mark.parametrize(("age", "status"), [(b"34", 202), (b"34.0", 202), (b"34.5", 400)])
async def test_a_whole_number_is_whole_however_it_is_written(
    backend: Backend, age: bytes, status: int
) -> None:
    """JSON has one kind of number: 34.0 is 34, and both are stored alike."""
    body = b'{"userId":"zoe","biometricHash":"%s","nationality":"US","age":%s}' % (b"a" * 64, age)
    async with backend.client("shop", TokenRole.PARTNER) as client:
        response = await client.post("/api/v1/users", content=body)

    assert response.status_code == status
    assert [stored.command.arguments["age"] for stored in backend.outbox.commands.values()] == (
        ["34"] if status == 202 else []
    )
