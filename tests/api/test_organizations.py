"""Organisations at the edge: who may read what several own, and who may propose a government."""

import pytest

from gx.api.organization_schemas import ORGANIZATION_EXAMPLES
from gx.api.schemas import body_example
from gx.domain.catalogue import PROPOSE_ORGANIZATION
from gx.domain.codec import JsonObject, JsonValue
from gx.domain.roles import TokenRole
from tests.api.parts import Backend

TX = "acme~bob~019a2f6e-7c1b-7d3a-9f04-2b8c51e0a7d6"
PATHS = {
    "organization/acme": "/organizations/acme",
    "pending_transactions/acme": "/organizations/acme/transactions/pending",
    f"multisig_transaction/{TX}": f"/transactions/{TX}",
}
READERS = [
    ("alice", TokenRole.USER, (), 200),
    ("mallory", TokenRole.USER, (), 403),
    ("mallory", TokenRole.USER, ("alice",), 403),
    ("shop", TokenRole.PARTNER, ("bob",), 200),
    ("shop", TokenRole.PARTNER, ("*",), 200),
    ("shop", TokenRole.PARTNER, ("dave",), 403),
    ("ops", TokenRole.ADMIN, (), 403),
    ("ops", TokenRole.ADMIN, ("*",), 200),
]


@pytest.mark.parametrize("key", PATHS, ids=lambda key: key.split("/")[0])
@pytest.mark.parametrize(("subject", "role", "act_for", "status"), READERS)
async def test_stakeholders_read_what_is_theirs(
    *, backend: Backend, key: str, subject: str, role: TokenRole, act_for: tuple[str, ...],
    status: int,
) -> None:  # fmt: skip
    """They, and whoever may act for one of them; nobody else."""
    backend.queries.stakeholders["acme"] = ("alice", "bob")
    backend.queries.bodies[key] = ORGANIZATION_EXAMPLES[key.split("/", maxsplit=1)[0]]
    async with backend.client(subject, role, act_for) as client:
        response = await client.get(f"/api/v1{PATHS[key]}")

    assert response.status_code == status
    assert status == 200 or response.json()["code"] == "FORBIDDEN"


@pytest.mark.parametrize("path", PATHS.values())
async def test_what_does_not_exist_is_nobody_s(backend: Backend, path: str) -> None:
    """An organisation without stakeholders is none: absent for everybody alike."""
    for role in (TokenRole.USER, TokenRole.ADMIN):
        async with backend.client("mallory", role) as client:
            response = await client.get(f"/api/v1{path}")
        assert response.status_code == 404


@pytest.mark.parametrize("path", ["/organizations/a~b%20", "/transactions/a~b~", "/transactions/~"])
async def test_what_cannot_be_an_id_is_not_asked_for(backend: Backend, path: str) -> None:
    """Every part of an id between tildes is one."""
    async with backend.client() as client:
        response = await client.get(f"/api/v1{path}")

    assert response.status_code == 404


def a_government() -> JsonObject:
    """Write the body of a proposal that needs an administrator."""
    return {**body_example(PROPOSE_ORGANIZATION), "type": "GOVERNMENT"}


@pytest.mark.parametrize("role", [TokenRole.USER, TokenRole.PARTNER])
async def test_a_government_is_refused_before_it_travels(backend: Backend, role: TokenRole) -> None:
    """Who may sign depends on the arguments; nothing is stored for the ledger to refuse."""
    async with backend.client("alice", role, ("*",)) as client:
        response = await client.post("/api/v1/organizations", json=a_government())

    assert (response.status_code, response.json()["code"]) == (403, "ROLE_REQUIRED")
    assert not backend.outbox.commands


async def test_an_administrator_proposes_a_government(backend: Backend) -> None:
    """The same body, with the token that it needs."""
    async with backend.client("ops", TokenRole.ADMIN) as client:
        response = await client.post("/api/v1/organizations", json=a_government())

    assert response.status_code == 202


RULE: JsonObject = {"amountThreshold": "0", "requiredApprovers": 1, "approverGroup": ["alice"]}


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"type": "CLUB"}, "ARGUMENT_INVALID"),
        ({"stakeholders": ["alice"]}, "ARGUMENT_INVALID"),
        ({"stakeholders": "alice,bob"}, "ARGUMENT_INVALID"),
        ({"orgId": "SYSTEM_X"}, "ARGUMENT_INVALID"),
        ({"rules": RULE}, "RULE_INVALID"),
        ({"rules": [RULE, RULE]}, "RULE_INVALID"),
        ({"rules": [{**RULE, "requiredApprovers": 2}]}, "RULE_INVALID"),
        ({"rules": [{**RULE, "approverGroup": ["mallory"]}]}, "RULE_INVALID"),
        ({"rules": [{**RULE, "amountThreshold": "-1"}]}, "RULE_INVALID"),
    ],
)
async def test_a_proposal_that_can_never_be_right_is_refused(
    backend: Backend, change: dict[str, JsonValue], code: str
) -> None:
    """Rules over several arguments too: the edge says so at once."""
    body = {**body_example(PROPOSE_ORGANIZATION), **change}
    async with backend.client() as client:
        response = await client.post("/api/v1/organizations", json=body)

    assert response.status_code in (400, 422)
    assert response.json()["code"] == code
    assert not backend.outbox.commands


async def test_nobody_s_organisation_pays_itself(backend: Backend) -> None:
    """Path and body name the same account."""
    body = {"toId": "acme", "amount": "5", "remark": "x"}
    async with backend.client() as client:
        response = await client.post("/api/v1/organizations/acme/transactions", json=body)

    assert response.json()["code"] == "SELF_TRANSFER"


async def test_only_who_is_named_requests_a_relationship(backend: Backend) -> None:
    """The subject of the path is the actor, and nobody is related to oneself."""
    body = {"objectId": "bob", "type": "PARENT"}
    async with backend.client("alice") as client:
        own = await client.post("/api/v1/users/alice/relationships", json=body)
        other = await client.post("/api/v1/users/carol/relationships", json=body)
        itself = await client.post(
            "/api/v1/users/alice/relationships", json={**body, "objectId": "alice"}
        )

    assert own.status_code == 202
    assert (other.status_code, other.json()["code"]) == (403, "ACTOR_MISMATCH")
    assert (itself.status_code, itself.json()["code"]) == (422, "SELF_RELATIONSHIP")
