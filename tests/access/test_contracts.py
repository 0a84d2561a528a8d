"""The matrix at the ledger: every function, every signing role, the right actor and another."""

from collections.abc import Sequence
from typing import Final

import pytest

from gx.chaincode.executor import Refused
from gx.domain.catalogue import COMMANDS
from gx.domain.refusals import RefusalCode
from gx.domain.roles import LedgerRole
from tests.access.scenes import DONE, SCENES, STRANGER, people
from tests.access.table import (
    ACT_FOR_USERS,
    COMMAND_RULES,
    PARTY,
    SERVICE,
    SIGNS_AS,
    CommandRule,
)
from tests.contracts.contract_ledger import an_executor

SIGNERS: Final[Sequence[LedgerRole | None]] = (*LedgerRole, None)
RULES: Final = [rule for rule in COMMAND_RULES if rule.command in COMMANDS.keys() & SCENES.keys()]


def named(rule: object) -> str:
    """Name a test by its command."""
    return rule.command if isinstance(rule, CommandRule) else str(rule)


def expected(rule: CommandRule, role: LedgerRole | None, *, is_stranger: bool) -> str:
    """Read the answer off the table."""
    if role is None or role not in rule.signers:
        return "ROLE_REQUIRED"
    if rule.acting == SERVICE:
        return DONE
    if role not in ACT_FOR_USERS:
        return "ACTOR_MISMATCH"
    return rule.outsider if is_stranger else DONE


@pytest.mark.parametrize("rule", RULES, ids=named)
def test_who_may_call_the_function(rule: CommandRule) -> None:
    """Each role with each actor: it takes effect, or is refused with the table's code."""
    spec, stage = COMMANDS[rule.command], SCENES[rule.command]
    answers, wanted = {}, {}
    for role in SIGNERS:
        for is_stranger in (False, True):
            scene = stage()
            case = f"signed by {role}, for {'a stranger' if is_stranger else 'the right one'}"
            answers[case] = scene.ask(spec, role, STRANGER if is_stranger else scene.actor)
            wanted[case] = expected(rule, role, is_stranger=is_stranger)

    assert answers == wanted


@pytest.mark.parametrize("rule", RULES, ids=named)
def test_who_may_call_the_function_past_the_outbox(rule: CommandRule) -> None:
    """Fabric's own command line meets the same rule; nothing is written by whom it refuses."""
    for role in SIGNERS:
        if role in rule.signers:
            continue
        stub = people().ledger.begin(role)
        result = an_executor().execute(stub, rule.function, [])

        assert isinstance(result, Refused), role
        assert result.code is RefusalCode.ROLE_REQUIRED, role
        assert (stub.writes, stub.event) == ({}, None)


def test_the_table_speaks_of_roles_that_exist() -> None:
    """A misspelt role in the table would let a test pass that proves nothing."""
    known = {role.value for role in LedgerRole}

    assert {signer for rule in COMMAND_RULES for signer in rule.signers} == known
    assert set(SIGNS_AS.values()) == known
    assert any(rule.acting == PARTY for rule in COMMAND_RULES)


def test_every_command_has_a_scene() -> None:
    """A new command needs one, or nobody has shown that the right one may call it."""
    assert COMMANDS.keys() == SCENES.keys()
