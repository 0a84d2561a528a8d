"""The edge starts with everything that is declared, or not at all: one control for each fault."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar

import pytest

from gx.api import app
from gx.api.completeness import IncompleteEdgeError, assert_complete
from gx.api.route_table import ROUTES, SHOW_COMMAND
from gx.domain.catalogue import COMMANDS, QUERIES, TRANSFER_TOKENS
from gx.domain.commands import Access, CommandSpec
from gx.domain.event_form import Event
from gx.domain.roles import SUPER_ADMINS
from tests.api.parts import Backend


@dataclass(frozen=True, slots=True, kw_only=True)
class CoinsBurned(Event):
    """An event that nobody listed."""

    WIRE_NAME: ClassVar[str] = "CoinsBurned"


def with_transfers(spec: CommandSpec) -> Mapping[str, CommandSpec]:
    """Return the catalogue with another declaration of transfers."""
    return {**COMMANDS, spec.wire_name: spec}


def test_what_is_declared_is_complete() -> None:
    """Every command and query of the catalogue."""
    assert_complete()


def test_a_command_without_a_route_is_named() -> None:
    """A declaration that nobody can send."""
    routes = [route for route in ROUTES if route.declared is not TRANSFER_TOKENS]

    with pytest.raises(IncompleteEdgeError, match="command TRANSFER_TOKENS has no route"):
        assert_complete(routes=routes)


def test_a_query_without_a_route_is_named() -> None:
    """A read that nobody can ask for."""
    routes = [route for route in ROUTES if route.declared is not QUERIES["supply"]]

    with pytest.raises(IncompleteEdgeError, match="query supply has no route"):
        assert_complete(routes=routes)


def test_a_route_without_an_access_rule_is_named() -> None:
    """Deny by default: a rule that is no rule must not be guessed at."""
    rule: object = None
    lawless = replace(SHOW_COMMAND, access=rule)  # type: ignore[arg-type]  # what types forbid

    with pytest.raises(IncompleteEdgeError, match="route getCommand has no access rule"):
        assert_complete(routes=[*ROUTES, lawless])


def test_two_routes_of_one_path_are_named() -> None:
    """The second would never be reached."""
    with pytest.raises(IncompleteEdgeError, match=r"/commands/\{commandId\} is declared twice"):
        assert_complete(routes=[*ROUTES, SHOW_COMMAND])


def test_a_command_that_its_callers_cannot_sign_is_named() -> None:
    """The edge would take what the ledger must refuse."""
    commands = with_transfers(replace(TRANSFER_TOKENS, roles=SUPER_ADMINS))

    with pytest.raises(IncompleteEdgeError, match="admits user, whose identity"):
        assert_complete(commands=commands)


def test_a_public_command_is_named() -> None:
    """Nobody changes the ledger without a token."""
    commands = with_transfers(replace(TRANSFER_TOKENS, access=Access.PUBLIC))

    with pytest.raises(IncompleteEdgeError, match="TRANSFER_TOKENS is public"):
        assert_complete(commands=commands)


def test_an_event_that_no_reader_knows_is_named() -> None:
    """The projection would stop at it."""
    commands = with_transfers(replace(TRANSFER_TOKENS, events=(CoinsBurned,)))

    with pytest.raises(IncompleteEdgeError, match="raises CoinsBurned, which no reader knows"):
        assert_complete(commands=commands)


def test_two_arguments_of_one_name_have_no_schema() -> None:
    """The body's description would lose one of them."""
    arguments = (*TRANSFER_TOKENS.arguments, TRANSFER_TOKENS.arguments[-1])
    commands = with_transfers(replace(TRANSFER_TOKENS, arguments=arguments))

    with pytest.raises(IncompleteEdgeError, match="TRANSFER_TOKENS has no schema"):
        assert_complete(commands=commands)


def test_a_query_that_nobody_can_answer_is_named() -> None:
    """It is declared, and neither asked nor described."""
    with pytest.raises(IncompleteEdgeError, match="nobody knows how to ask query burned"):
        assert_complete(queries={"burned": replace(QUERIES["supply"], name="burned")})


def test_the_edge_does_not_start_incomplete(
    backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The check runs where the application is put together."""

    def refuse() -> None:
        raise IncompleteEdgeError("command X has no route")

    monkeypatch.setattr(app, "assert_complete", refuse)

    with pytest.raises(IncompleteEdgeError, match="command X"):
        app.create_app(backend.parts)
