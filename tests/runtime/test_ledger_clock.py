"""Which clock dates the embedded ledger's transactions."""

import pytest

from gx.runtime.clock import ShiftedClock, SystemClock
from gx.runtime.processes.ledger import choose_clock
from gx.runtime.settings import CommonSettings, Environment, LedgerSettings, SettingsError
from tests.projection.clocks import StoppedClock

FORTNIGHT_S = 14 * 86_400


def test_without_an_offset_it_is_the_real_clock() -> None:
    """In every environment; nothing stands between the ledger and the machine's time."""
    for place in Environment:
        assert isinstance(
            choose_clock(CommonSettings(environment=place), LedgerSettings()), SystemClock
        )


def test_in_development_the_ledger_may_live_later() -> None:
    """What takes two weeks can be tried out today."""
    now_ms = SystemClock().now_ms()

    clock = choose_clock(CommonSettings(), LedgerSettings(clock_offset_s=FORTNIGHT_S))

    assert clock.now_ms() - now_ms >= FORTNIGHT_S * 1_000


def test_a_shifted_clock_runs_as_the_other_one_does() -> None:
    """It adds its offset, to the millisecond."""
    assert ShiftedClock(StoppedClock(1_234), offset_s=2).now_ms() == 3_234


@pytest.mark.parametrize("place", [Environment.TESTNET, Environment.MAINNET])
def test_outside_development_an_offset_is_refused(place: Environment) -> None:
    """There, time is other people's too: the process does not start, and says what to leave out."""
    with pytest.raises(SettingsError, match="GX_LEDGER_CLOCK_OFFSET_S"):
        choose_clock(CommonSettings(environment=place), LedgerSettings(clock_offset_s=1))
