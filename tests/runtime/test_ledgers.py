"""Which ledger a process speaks to, and what it says when that cannot be."""

from pathlib import Path

import pytest

from gx.domain.roles import LedgerRole
from gx.ledger.fabric.client import FabricLedger
from gx.ledger.fabric.profile import ProfileError
from gx.ledger.kinds import LedgerKind
from gx.ledger.local.client import LocalLedger
from gx.runtime import inspection
from gx.runtime.fabric_settings import FabricSettings, ledger_settings
from gx.runtime.ledgers import LedgerMismatchError, open_ledger
from gx.runtime.settings import CommonSettings, LedgerSettings, SettingsError, load
from tests.ledger.fabric.scenes import StandInNetwork


@pytest.fixture
def profile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A connection profile that the settings name."""
    path = tmp_path / "profile.json"
    path.write_bytes(StandInNetwork(tmp_path).profile.encode())
    monkeypatch.setenv("GX_FABRIC_PROFILE", str(path))
    monkeypatch.setenv("GX_LEDGER", "fabric")
    return path


async def test_without_a_word_it_is_the_embedded_one() -> None:
    """Nobody needs Fabric to run this."""
    common = CommonSettings()

    assert isinstance(open_ledger(common), LocalLedger)
    assert isinstance(ledger_settings(common), LedgerSettings)


@pytest.mark.usefixtures("profile")
async def test_it_is_fabric_where_the_settings_say_so() -> None:
    """Identities are read at once, and the ends of their certificates told."""
    ends: dict[LedgerRole, float] = {}
    common = load(CommonSettings)

    ledger = open_ledger(common, on_identity=lambda role, end: ends.update({role: end}))

    assert isinstance(ledger, FabricLedger)
    assert isinstance(ledger_settings(common), FabricSettings)
    assert set(ends) == set(LedgerRole)
    await ledger.close()


@pytest.mark.usefixtures("profile")
async def test_a_profile_of_another_channel_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Checkpoints and leases carry the channel's name; they must not mean another chain."""
    monkeypatch.setenv("GX_CHANNEL", "otherchannel")

    with pytest.raises(LedgerMismatchError, match=r"otherchannel.*gxchannel"):
        open_ledger(load(CommonSettings))


def test_a_missing_profile_is_named(profile: Path) -> None:
    """Who runs a process by hand is told which file it looked for."""
    profile.unlink()

    with pytest.raises(ProfileError, match=str(profile)):
        open_ledger(load(CommonSettings))


async def test_an_unknown_kind_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A misspelt ledger must not silently be the embedded one."""
    monkeypatch.setenv("GX_LEDGER", "fabrik")

    with pytest.raises(SettingsError, match="GX_LEDGER"):
        load(CommonSettings)


@pytest.mark.usefixtures("profile")
def test_operators_look_at_the_ledger_in_use() -> None:
    """And are told where there is no file to look at."""
    assert inspection.ledger_kind() is LedgerKind.FABRIC
    with pytest.raises(inspection.NoLedgerFileError):
        inspection.blocks(first=None, limit=1)
