"""Declarations against the table: names, routes, tokens, signers and actors."""

from typing import Final

import pytest

from gx.domain.catalogue import COMMANDS
from gx.domain.commands import CommandSpec
from gx.domain.roles import TokenRole
from tests.access.declared import declared_routes
from tests.access.table import COMMAND_RULES, PARTY, READ_RULES, SERVICE, SIGNS_AS

TABLE: Final = {rule.command: rule for rule in COMMAND_RULES}


def test_every_command_is_in_the_table_and_the_reverse() -> None:
    """Whoever adds a command decides here who may call it."""
    assert COMMANDS.keys() - TABLE.keys() == set()
    assert TABLE.keys() - COMMANDS.keys() == set()


def test_every_read_of_the_table_is_declared() -> None:
    """A line about a route that is gone protects nothing."""
    reads = {rule.route for rule in READ_RULES}

    assert reads - declared_routes().keys() == set()
    assert len(reads) == len(READ_RULES)


@pytest.mark.parametrize("spec", COMMANDS.values(), ids=lambda spec: spec.wire_name)
def test_the_declaration_agrees_with_the_table(spec: CommandSpec) -> None:
    """Function, route, tokens, signers and the argument that names the actor."""
    rule = TABLE[spec.wire_name]

    assert spec.function == rule.function
    assert declared_routes()[rule.route].declared is spec
    assert {role.value for role in TokenRole if spec.access.admits(role)} == set(rule.tokens)
    assert {role.value for role in spec.roles} == set(rule.signers)
    assert (spec.actor_argument or "") == ("" if rule.acting in (SERVICE, PARTY) else rule.acting)


def test_whoever_may_send_a_command_has_an_identity_that_may_sign_it() -> None:
    """A route must not take what its function would surely refuse."""
    for rule in COMMAND_RULES:
        assert {SIGNS_AS[token] for token in rule.tokens} <= set(rule.signers), rule.command
