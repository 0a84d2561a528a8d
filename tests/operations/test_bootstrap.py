"""Bootstrap: done once, safe to repeat, safe to race."""

import pytest

from gx.client.errors import CommandFailedError
from gx.domain.arguments import PERCENTAGE_TOTAL_MICROS, CountryShares
from gx.domain.codec import JsonValue
from gx.operations.bootstrap import BootstrapRaceError, bootstrap, open_countries
from gx.operations.countries import DEFAULT_COUNTRIES
from tests.operations.small_system import SmallSystem


async def test_a_new_system_is_made_usable() -> None:
    """Pools first, then the countries."""
    system = SmallSystem()

    report = await bootstrap(system.client())

    assert report.did_bootstrap
    assert {"US", "CA", "GB"} < set(report.opened)
    assert system.sent == ["/admin/bootstrap", "/admin/countries/initialize"]
    assert report.to_wire()["bootstrapped"] is True


async def test_a_second_bootstrap_sends_nothing() -> None:
    """What is done is left alone."""
    system = SmallSystem()
    await bootstrap(system.client())
    system.sent.clear()

    report = await bootstrap(system.client())

    assert system.sent == []
    assert (report.did_bootstrap, report.opened) == (False, ())


async def test_only_missing_countries_are_opened() -> None:
    """A country that is open is not asked for again: the ledger would refuse all of them."""
    system = SmallSystem(is_bootstrapped=True, countries={"US"})

    report = await bootstrap(system.client())

    assert "US" not in report.opened
    assert len(report.opened) == len(DEFAULT_COUNTRIES) - 1


async def test_losing_the_race_is_no_failure() -> None:
    """Two bootstraps at once: the ledger refuses one, and both have what they wanted."""
    system = SmallSystem()

    def be_second(path: str) -> None:
        if path == "/admin/bootstrap":
            system.is_bootstrapped = True
        elif "CA" not in system.countries:
            system.countries.add("CA")

    system.before = be_second
    report = await bootstrap(system.client())

    assert not report.did_bootstrap
    assert len(system.countries) == len(DEFAULT_COUNTRIES)
    assert "CA" not in report.opened


async def test_a_race_that_never_ends_is_given_up() -> None:
    """Somebody who always comes first makes it stop, not loop."""
    system = SmallSystem(
        is_bootstrapped=True, refusals={"/admin/countries/initialize": "COUNTRY_EXISTS"}
    )

    with pytest.raises(BootstrapRaceError, match="5 attempts"):
        await open_countries(system.client(), DEFAULT_COUNTRIES)


async def test_any_other_refusal_is_a_failure() -> None:
    """A paused system is not mistaken for a finished one."""
    system = SmallSystem(refusals={"/admin/bootstrap": "SYSTEM_PAUSED"})

    with pytest.raises(CommandFailedError, match="SYSTEM_PAUSED"):
        await bootstrap(system.client())


def test_the_default_countries_are_valid() -> None:
    """The edge accepts the list: known codes, exact percentages, at most 100 in all."""
    wire: JsonValue = [
        {"countryCode": share.country_code, "percentage": share.percentage}
        for share in DEFAULT_COUNTRIES
    ]
    kind = CountryShares()

    shares = kind.parse("countries", kind.to_text("countries", wire))

    assert len(shares) == 30
    assert sum(share.micros for share in shares) <= PERCENTAGE_TOTAL_MICROS
