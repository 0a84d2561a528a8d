"""The genesis distribution: how far it has come, in all and in each country."""

from dataclasses import dataclass
from typing import Final

from gx.chaincode.context import Context
from gx.contracts import keys
from gx.domain.amounts import Amount
from gx.domain.codec import Record
from gx.domain.economics import GenesisPhase
from gx.domain.identifiers import CountryCode


@dataclass(frozen=True, slots=True, kw_only=True)
class GenesisRecord(Record):
    """How many users have had their coins; it alone decides about the phase."""

    distributed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CountryGenesisRecord(Record):
    """What one country's users and its treasury have had."""

    users: int
    user_amount: Amount
    treasury_amount: Amount


_NOTHING: Final = CountryGenesisRecord(users=0, user_amount=Amount(0), treasury_amount=Amount(0))


def distributed(context: Context) -> int:
    """Return how many users have had their coins."""
    record = context.state.find(keys.GENESIS_COUNTER, GenesisRecord)
    return 0 if record is None else record.distributed


def of_country(context: Context, code: CountryCode) -> CountryGenesisRecord:
    """Return the country's part."""
    record = context.state.find(keys.genesis_of(code), CountryGenesisRecord)
    return _NOTHING if record is None else record


def count(context: Context, code: CountryCode, phase: GenesisPhase) -> None:
    """Add one user, of this country and in this phase."""
    counter = GenesisRecord(distributed=distributed(context) + 1)
    context.state.put(keys.GENESIS_COUNTER, counter)
    before = of_country(context, code)
    figures = CountryGenesisRecord(
        users=before.users + 1,
        user_amount=Amount(before.user_amount + phase.user_amount),
        treasury_amount=Amount(before.treasury_amount + phase.treasury_amount),
    )
    context.state.put(keys.genesis_of(code), figures)
