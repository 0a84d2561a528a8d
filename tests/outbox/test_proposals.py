"""What the ledger is asked: each command by its own function, arguments in the contract's order."""

import pytest
from msgspec.structs import replace

from gx.domain.batches import BATCH_FUNCTION, parse_items
from gx.domain.catalogue import COMMANDS
from gx.domain.roles import LedgerRole
from gx.outbox.proposals import UnknownCommandError, build_batch, build_single
from tests.outbox.builders import an_entry


def test_a_batch_carries_each_command_whole() -> None:
    """Its id, its key, its actor, and the role that signs for all of them."""
    first = replace(an_entry(1), key="ab" * 32)
    second = an_entry(2)

    proposal = build_batch([first, second])

    assert (proposal.function, proposal.role) == (BATCH_FUNCTION, LedgerRole.PARTNER_API)
    items = parse_items(proposal.arguments[0])
    assert [item.command_id for item in items] == [first.command_id, second.command_id]
    assert [item.key for item in items] == ["ab" * 32, second.command_id]
    assert {item.actor for item in items} == {"alice"}


@pytest.mark.parametrize("command_type", sorted(COMMANDS))
def test_arguments_stand_in_the_contracts_order(command_type: str) -> None:
    """Fault: argument count or order mismatch. Names decide, whatever order they come in."""
    spec = COMMANDS[command_type]
    named = {argument.name: f"value of {argument.name}" for argument in spec.arguments}
    entry = replace(
        an_entry(1),
        command_type=command_type,
        arguments=dict(reversed(list(named.items()))),
    )

    proposal = build_single(entry)

    assert proposal.function == spec.function
    assert proposal.arguments == tuple(named.values())
    (item,) = parse_items(build_batch([entry]).arguments[0])
    assert (item.function, item.args) == (spec.function, tuple(named.values()))


def test_a_missing_argument_is_told_by_name() -> None:
    """It never shifts the others."""
    entry = replace(an_entry(1), arguments={"fromId": "a", "toId": "b", "remark": "r"})
    with pytest.raises(UnknownCommandError, match="amount"):
        build_single(entry)


def test_an_unknown_command_is_told_by_name() -> None:
    """There is no default contract that would take it."""
    with pytest.raises(UnknownCommandError, match="FROM_THE_FUTURE"):
        build_batch([replace(an_entry(1), command_type="FROM_THE_FUTURE")])
