"""Open countries: their shares and how many users each has."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from gx.chaincode.context import Context
from gx.contracts import accounts, keys
from gx.domain.arguments import (
    PERCENTAGE_TOTAL_MICROS,
    CountryShare,
    parse_percentage_micros,
)
from gx.domain.codec import Record
from gx.domain.events import AccountChange, AccountStatus
from gx.domain.identifiers import CountryCode, treasury_of
from gx.domain.refusals import RefusalCode, RefusedError
from gx.domain.world_state import AccountKind


@dataclass(frozen=True, slots=True, kw_only=True)
class CountryRecord(Record):
    """A country's share of the system, in per cent as it was given, and its number of users."""

    percentage: str
    users: int = 0


def require(context: Context, code: CountryCode) -> CountryRecord:
    """Return the country.

    Raises:
        RefusedError: COUNTRY_UNKNOWN, it was never opened.
    """
    country = context.state.find(keys.country(code), CountryRecord)
    if country is None:
        raise RefusedError(RefusalCode.COUNTRY_UNKNOWN, f"{code} is not open; open it first")
    return country


def scan(context: Context) -> Iterator[tuple[CountryCode, CountryRecord]]:
    """Yield every open country, by code."""
    for key, country in context.state.scan(keys.COUNTRIES, CountryRecord):
        yield CountryCode(key.removeprefix(keys.COUNTRIES)), country


def open_countries(context: Context, shares: tuple[CountryShare, ...]) -> tuple[AccountChange, ...]:
    """Open countries, each with a treasury that may not send yet.

    Raises:
        RefusedError: COUNTRY_EXISTS for one that is open; ARGUMENT_INVALID if all countries'
            shares together exceed 100 per cent.
    """
    opened = dict(scan(context))
    for share in shares:
        if share.country in opened:
            raise RefusedError(RefusalCode.COUNTRY_EXISTS, f"{share.country} is open already")
    total = sum(parse_percentage_micros(country.percentage) for country in opened.values())
    total += sum(share.micros for share in shares)
    if total > PERCENTAGE_TOTAL_MICROS:
        raise RefusedError(
            RefusalCode.ARGUMENT_INVALID, "all countries' percentages sum to more than 100"
        )
    return tuple(_open(context, share) for share in shares)


def count_user(context: Context, code: CountryCode) -> None:
    """Add one to the country's users.

    Raises:
        RefusedError: COUNTRY_UNKNOWN.
    """
    country = require(context, code)
    context.state.put(keys.country(code), replace(country, users=country.users + 1))


def _open(context: Context, share: CountryShare) -> AccountChange:
    context.state.put(keys.country(share.country), CountryRecord(percentage=share.percentage))
    return accounts.open_account(
        context,
        treasury_of(share.country),
        AccountKind.TREASURY,
        country=share.country,
        status=AccountStatus.LOCKED,
    )
