"""Rules over several arguments of one command."""

import pytest

from gx.domain.catalogue import COMMANDS
from gx.domain.coherence import any_arguments
from gx.domain.refusals import RefusalCode, RefusedError


def test_nobody_pays_oneself() -> None:
    """A transfer between one account and itself is refused before it travels anywhere."""
    spec = COMMANDS["TRANSFER_TOKENS"]

    with pytest.raises(RefusedError) as refused:
        spec.require_coherent({"fromId": "alice", "toId": "alice"})

    assert refused.value.code is RefusalCode.SELF_TRANSFER
    spec.require_coherent({"fromId": "alice", "toId": "bob"})


def test_a_parameter_gets_only_values_that_it_can_have() -> None:
    """Whether a value is within bounds is told by parameter and value together."""
    spec = COMMANDS["UPDATE_SYSTEM_PARAMETER"]

    with pytest.raises(RefusedError) as refused:
        spec.require_coherent({"id": "feeLowerBps", "value": "1001"})

    assert refused.value.code is RefusalCode.PARAMETER_VALUE_INVALID
    spec.require_coherent({"id": "feeLowerBps", "value": "1000"})


def test_a_command_without_such_a_rule_takes_every_combination() -> None:
    """The default lets everything pass."""
    assert COMMANDS["MINT_COINS"].require_coherent is any_arguments
    any_arguments({"fromId": "alice", "toId": "alice"})
