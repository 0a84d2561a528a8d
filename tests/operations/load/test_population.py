"""Who takes part: funded, never paying themselves, and with balances that can be foretold."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from gx.domain.amounts import Amount
from gx.domain.catalogue import COMMANDS
from gx.domain.economics import PARAMETERS, fee_rate_bps, share_of
from gx.operations.load.mix import Kind, Mix, parse_mix
from gx.operations.load.population import Call, Population

DEFAULTS = {name: spec.default for name, spec in PARAMETERS.items()}
HIGHEST = {**DEFAULTS, "feeFreeBelow": 0, "feeLowerBps": 1_000, "feeUpperBps": 1_000}

MIXES = st.sampled_from(
    [
        parse_mix("transfer=1"),
        parse_mix("transfer=80,mint=10,create_user=5,genesis=5"),
        parse_mix("mint=1,overdraw=1"),
        parse_mix("genesis=3,create_user=1"),
    ]
)


def play(population: Population, parameters: dict[str, int]) -> Counter[str]:
    """Execute the calls one by one, refusing what the ledger would refuse."""
    balances: Counter[str] = Counter()
    for call in [*population.preparation(), *population.calls()]:
        match call.kind:
            case Kind.MINT:
                balances[str(call.body["accountId"])] += int(str(call.body["amount"]))
            case Kind.TRANSFER | Kind.OVERDRAW:
                move(call, balances, parameters)
            case Kind.CREATE_USER | Kind.GENESIS:
                pass
    return balances


def move(call: Call, balances: Counter[str], parameters: dict[str, int]) -> None:
    """Execute one transfer."""
    sender, receiver = str(call.body["fromId"]), str(call.body["toId"])
    amount = Amount(int(str(call.body["amount"])))
    rate = fee_rate_bps(parameters, amount, is_cross_border=False)
    fee = share_of(amount, rate)
    assert sender != receiver
    assert call.acts_for == sender
    has_enough = balances[sender] >= amount + fee
    assert has_enough == (call.kind is Kind.TRANSFER)
    if has_enough:
        balances[sender] -= amount + fee
        balances[receiver] += amount


@given(mix=MIXES, total=st.integers(1, 2_000), fees=st.sampled_from([DEFAULTS, HIGHEST]))
def test_balances_are_foretold(mix: Mix, total: int, fees: dict[str, int]) -> None:
    """Whatever the mix and the fees, every sender can pay and the forecast is exact."""
    population = Population(run="r", mix=mix, total=total)

    assert play(population, fees) == population.expected_balances(fees)


@given(mix=MIXES, total=st.integers(1, 500))
def test_calls_are_what_their_commands_declare(mix: Mix, total: int) -> None:
    """Each body has exactly the declared arguments, each of a value that the edge accepts."""
    population = Population(run="0a1b2c3d", mix=mix, total=total)

    for call in [*population.preparation(), *population.calls()]:
        arguments = COMMANDS[call.command_type].arguments
        assert call.body.keys() == {argument.name for argument in arguments}
        for argument in arguments:
            argument.kind.to_text(argument.name, call.body[argument.name])


def test_a_genesis_is_for_a_user_that_was_prepared_for_it() -> None:
    """Each genesis has its own user, who exists before the clock starts."""
    population = Population(run="r", mix=parse_mix("genesis=1,transfer=1"), total=10)

    prepared = {call.body["userId"] for call in population.preparation() if "userId" in call.body}
    asked = [call.body["userId"] for call in population.calls() if call.kind is Kind.GENESIS]

    assert len(asked) == len(set(asked)) == 5
    assert set(asked) == prepared
