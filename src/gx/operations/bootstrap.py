"""Makes a new system usable: pools and parameters, then countries. Safe to run again and again."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from gx.client.client import GxClient
from gx.client.commands import CountryShare
from gx.domain.codec import JsonObject, JsonValue
from gx.domain.command_status import CommandStatus
from gx.domain.errors import GxError
from gx.domain.identifiers import CommandId
from gx.domain.refusals import RefusalCode
from gx.operations.countries import DEFAULT_COUNTRIES

TIMEOUT_S: Final = 60.0
_PAGE: Final = 200
_RACES_MAX: Final = 5
_DONE_BY_OTHERS: Final = frozenset(
    {RefusalCode.ALREADY_BOOTSTRAPPED.value, RefusalCode.COUNTRY_EXISTS.value}
)


class BootstrapRaceError(GxError):
    """Others keep opening countries at the same time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BootstrapReport:
    """What was done now; the rest had been done before."""

    did_bootstrap: bool
    opened: tuple[str, ...]

    def to_wire(self) -> JsonObject:
        """Return the report for a script."""
        return {
            "ok": True,
            "bootstrapped": self.did_bootstrap,
            "countriesOpened": list[JsonValue](self.opened),
        }


async def bootstrap(
    client: GxClient,
    *,
    countries: Sequence[CountryShare] = DEFAULT_COUNTRIES,
    observe: Callable[[str], None] = lambda _: None,
    timeout_s: float = TIMEOUT_S,
) -> BootstrapReport:
    """Bootstrap the ledger and open the countries, as far as that is not done yet.

    Two of them at once do no harm: the ledger lets one of them win, and both succeed.

    Raises:
        ClientError: the API could not be reached or refused, or a command failed.
    """
    did_bootstrap = False
    if not (await client.system_status()).is_bootstrapped:
        observe("minting the pools")
        accepted = await client.bootstrap_system()
        did_bootstrap = await _settle(client, accepted.command_id, timeout_s)
    opened = await open_countries(client, countries, observe=observe, timeout_s=timeout_s)
    return BootstrapReport(did_bootstrap=did_bootstrap, opened=opened)


async def open_countries(
    client: GxClient,
    countries: Sequence[CountryShare],
    *,
    observe: Callable[[str], None] = lambda _: None,
    timeout_s: float = TIMEOUT_S,
) -> tuple[str, ...]:
    """Open those of the countries that are not open yet, and return their codes."""
    for _ in range(_RACES_MAX):
        missing = await _missing(client, countries)
        if not missing:
            return ()
        observe(f"opening {len(missing)} countries")
        accepted = await client.initialize_country_data(countries=missing)
        if await _settle(client, accepted.command_id, timeout_s):
            return tuple(share.country_code for share in missing)
        # Somebody else opened some of them in between; what is missing now is another list.
    raise BootstrapRaceError(
        f"others open countries all the time: gave up after {_RACES_MAX} attempts; try again"
    )


async def _missing(client: GxClient, countries: Sequence[CountryShare]) -> Sequence[CountryShare]:
    page = await client.countries(limit=_PAGE)
    known = {country.country_code for country in page.items}
    while page.next_cursor is not None:
        page = await client.countries(limit=_PAGE, cursor=page.next_cursor)
        known |= {country.country_code for country in page.items}
    return [share for share in countries if share.country_code not in known]


async def _settle(client: GxClient, command_id: CommandId, timeout_s: float) -> bool:
    """Wait for the command; False if somebody else's had done the same before."""
    command = await client.wait_for(command_id, CommandStatus.PROJECTED, timeout_s=timeout_s)
    if command.status is CommandStatus.REJECTED and command.code in _DONE_BY_OTHERS:
        return False
    command.require_effect()
    return True
