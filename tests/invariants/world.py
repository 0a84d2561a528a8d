"""A small world in which commands meet often: the steps that make it, for any ledger."""

from itertools import count
from typing import Final, NamedTuple

from gx.domain.batches import BatchItem
from gx.domain.catalogue import COMMANDS
from gx.domain.roles import LedgerRole
from tests.contracts.contract_ledger import (
    COUNTRIES,
    ContractLedger,
    a_command,
    a_hash,
    coins,
    role_for,
)

_RULES: Final = '[{"amountThreshold":"0","approverGroup":["alice","bob"],"requiredApprovers":2}]'


class Step(NamedTuple):
    """One command that makes the world."""

    command: str
    args: tuple[str, ...] = ()
    actor: str | None = None


def world_steps() -> list[Step]:
    """List the steps: people with coins, alice trusted by her family, acme, a low quorum."""
    people = {"alice": "US", "bob": "CA", "carol": "US", "dave": "US"}
    family = {"bob": "PARENT", "carol": "SPOUSE", "dave": "SIBLING"}
    steps = [Step("BOOTSTRAP_SYSTEM"), Step("INITIALIZE_COUNTRY_DATA", (COUNTRIES,))]
    for seed, (name, country) in enumerate(people.items()):
        steps.append(Step("CREATE_USER", (name, a_hash(seed), country, "30")))
    rich = ("alice", "bob", "carol", "wallet")
    steps += [Step("MINT_COINS", (name, coins(1_000), "x")) for name in rich]
    for name, kind in family.items():
        steps.append(Step("REQUEST_RELATIONSHIP", ("alice", name, kind)))
        steps.append(Step("CONFIRM_RELATIONSHIP", (f"alice~{kind}~{name}",), name))
    steps.append(Step("UPDATE_SYSTEM_PARAMETER", ("minProposalQuorum", "2")))
    return steps + acme_steps()


def acme_steps() -> list[Step]:
    """List the steps that found an organisation in which both stakeholders approve payments."""
    proposal = ("acme", "Acme Ltd", "BUSINESS", '["alice","bob"]', _RULES)
    return [
        Step("PROPOSE_ORGANIZATION", proposal, "alice"),
        Step("ENDORSE_MEMBERSHIP", ("acme",), "alice"),
        Step("ENDORSE_MEMBERSHIP", ("acme",), "bob"),
        Step("ACTIVATE_ORGANIZATION", ("acme",), "alice"),
        Step("MINT_COINS", ("acme", coins(1_000), "x")),
    ]


def world_batches() -> list[tuple[LedgerRole, list[BatchItem]]]:
    """Return the steps as batches of one, each signed with a role that may."""
    numbers = count()
    return [
        (role_for(spec), [a_command(spec, *step.args, actor=step.actor, name=f"world-{number}")])
        for step in world_steps()
        if (spec := COMMANDS.get(step.command)) is not None
        for number in (next(numbers),)
    ]


def a_world() -> ContractLedger:
    """Make the world on a ledger of this process."""
    ledger = ContractLedger()
    for role, items in world_batches():
        (outcome,) = ledger.batch(items, role)
        assert outcome.code is None, (items, outcome.code, outcome.detail)
    return ledger
