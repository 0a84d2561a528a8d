"""The matrix at the HTTP edge: every route, every kind of token, for oneself and for others."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import httpx
import pytest

from gx.api.openapi import build_document
from gx.api.schemas import body_example
from gx.domain.catalogue import COMMANDS
from gx.domain.roles import TokenRole
from tests.access.declared import declared_routes, path_of
from tests.access.table import (
    COMMAND_RULES,
    PARTY,
    READ_RULES,
    SERVICE,
    SIGNS_AS,
    CommandRule,
    ReadRule,
)
from tests.api.parts import Backend
from tests.api.sending import stored

OWNER: Final = "alice"
DECLARED: Final = declared_routes()
RULES: Final = [rule for rule in COMMAND_RULES if rule.command in COMMANDS]
READS: Final = [rule for rule in READ_RULES if rule.route in DECLARED]


@dataclass(frozen=True, kw_only=True)
class Stance:
    """Who asks, with which token, and for whom."""

    name: str
    role: str
    subject: str
    act_for: tuple[str, ...] = ()
    for_whom: str | None = None

    @property
    def may_delegate(self) -> bool:
        """Tell whether the token allows what the header asks for."""
        if self.for_whom is None:
            return True
        is_delegate = self.role in ("partner", "admin")
        return is_delegate and bool({"*", self.for_whom} & set(self.act_for))

    @property
    def actor(self) -> str:
        """For whom the request acts, if it may."""
        return self.for_whom or self.subject

    def may_read(self, owner: str) -> bool:
        """Tell whether the owner's data may be read."""
        if self.actor == owner:
            return True
        return self.role != "user" and bool({"*", owner} & set(self.act_for))


STANCES: Final = (
    Stance(name="a user for himself", role="user", subject=OWNER),
    Stance(name="another user", role="user", subject="mallory"),
    Stance(name="a user naming another", role="user", subject="mallory", for_whom=OWNER),
    Stance(
        name="a user whose token claims to act for all",
        role="user", subject="mallory", act_for=("*",), for_whom=OWNER,
    ),
    Stance(name="a partner for itself", role="partner", subject="shop"),
    Stance(
        name="a partner for its user",
        role="partner", subject="shop", act_for=(OWNER,), for_whom=OWNER,
    ),
    Stance(
        name="a partner for any user",
        role="partner", subject="shop", act_for=("*",), for_whom=OWNER,
    ),
    Stance(
        name="a partner for another's user",
        role="partner", subject="shop", act_for=("bob",), for_whom=OWNER,
    ),
    Stance(
        name="a partner that does not say for whom",
        role="partner", subject="shop", act_for=(OWNER,),
    ),
    Stance(name="an admin for himself", role="admin", subject="ops"),
    Stance(
        name="an admin for a named user",
        role="admin", subject="ops", act_for=(OWNER,), for_whom=OWNER,
    ),
    Stance(name="an admin without the claim", role="admin", subject="ops", for_whom=OWNER),
    Stance(name="a super admin for himself", role="super_admin", subject="root"),
    Stance(
        name="a super admin for a user",
        role="super_admin", subject="root", act_for=("*",), for_whom=OWNER,
    ),
)  # fmt: skip

REFUSALS: Final = {
    "TOKEN_INVALID": 401,
    "ROLE_REQUIRED": 403,
    "FORBIDDEN": 403,
    "ACTOR_MISMATCH": 403,
}


def refusal_of(rule: CommandRule | ReadRule, stance: Stance) -> str | None:
    """Read off the table why this stance is refused; None if it is let in."""
    if rule.tokens and stance.role not in rule.tokens:
        return "ROLE_REQUIRED"
    if rule.tokens and not stance.may_delegate:
        return "FORBIDDEN"
    if isinstance(rule, ReadRule):
        is_kept_out = rule.is_owned and not stance.may_read(OWNER)
        return "FORBIDDEN" if is_kept_out else None
    if stance.for_whom is not None and set(rule.tokens) <= {"admin", "super_admin"}:
        return "ACTOR_MISMATCH"  # administration is done in one's own name
    is_anybodys = rule.acting in (SERVICE, PARTY)
    return None if is_anybodys or stance.actor == OWNER else "ACTOR_MISMATCH"


async def ask(
    backend: Backend, rule: CommandRule | ReadRule, stance: Stance | None
) -> httpx.Response:
    """Send the route's own example."""
    route = DECLARED[rule.route]
    headers = {}
    if stance is not None:
        token = backend.token(stance.subject, TokenRole(stance.role), stance.act_for)
        headers["Authorization"] = f"Bearer {token}"
    if stance is not None and stance.for_whom is not None:
        headers["X-On-Behalf-Of"] = stance.for_whom
    body = body_example(COMMANDS[rule.command]) if isinstance(rule, CommandRule) else None
    async with backend.anonymous(headers) as client:
        return await client.request(route.method, path_of(route, OWNER), json=body)


def code_of(response: httpx.Response) -> str | None:
    """Name why the guard kept somebody out; None if it let the request in."""
    if response.status_code not in (401, 403):
        return None
    code = str(response.json()["code"])
    assert response.status_code == REFUSALS[code]
    return code


def named(rule: object) -> str:
    """Name a test by its route."""
    return rule.route if isinstance(rule, CommandRule | ReadRule) else str(rule)


@pytest.mark.parametrize("rule", RULES, ids=named)
async def test_who_may_send_the_command(backend: Backend, rule: CommandRule) -> None:
    """Each stance is answered as the table says; what is taken bears actor, subject and signer."""
    assert code_of(await ask(backend, rule, None)) == "TOKEN_INVALID"
    for stance in STANCES:
        response = await ask(backend, rule, stance)
        wanted = refusal_of(rule, stance)
        assert code_of(response) == wanted, stance.name
        if wanted is None:
            assert response.status_code == 202, (stance.name, response.text)
            command = stored(backend, response)
            assert (command.command_type, command.actor) == (rule.command, stance.actor)
            assert (command.subject, command.role) == (stance.subject, SIGNS_AS[stance.role])
    assert len(backend.outbox.commands) == len(
        [stance for stance in STANCES if refusal_of(rule, stance) is None]
    )


@pytest.mark.parametrize("rule", READS, ids=named)
async def test_who_may_read(backend: Backend, rule: ReadRule) -> None:
    """Each stance gets in, or is told the table's reason; nothing is stored by reading."""
    backend.queries.stakeholders[OWNER] = (OWNER, "carol")  # who owns the organisation of the path
    anonymous = await ask(backend, rule, None)
    assert code_of(anonymous) == ("TOKEN_INVALID" if rule.tokens else None)
    for stance in STANCES:
        response = await ask(backend, rule, stance)
        assert code_of(response) == refusal_of(rule, stance), stance.name
        assert response.status_code < 500, stance.name
    assert not backend.outbox.commands


def test_no_route_is_missing_from_the_table() -> None:
    """A new route needs a line in the table: who may call it is decided there."""
    tabled = {rule.route for rule in (*COMMAND_RULES, *READ_RULES)}

    assert DECLARED.keys() - tabled == set()


def test_the_document_says_the_same() -> None:
    """Whoever reads the OpenAPI document learns the table's rules."""
    letters = {(): "public", ("partner",): "partner", ("super_admin",): "super_admin"}
    letters |= {("admin", "super_admin"): "admin"}
    letters |= {("user", "partner", "admin", "super_admin"): "user"}
    paths = build_document()["paths"]
    assert isinstance(paths, dict)
    rules: Sequence[CommandRule | ReadRule] = (*RULES, *READS)
    for rule in rules:
        route = DECLARED[rule.route]
        item = paths[route.path]
        assert isinstance(item, dict)
        operation = item[route.method.lower()]
        assert isinstance(operation, dict)
        assert operation["x-access"] == letters[rule.tokens], rule.route
        assert ("security" in operation) is bool(rule.tokens), rule.route
