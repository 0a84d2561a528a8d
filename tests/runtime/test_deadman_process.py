"""The settings of `gx deadman`."""

from pathlib import Path

import pytest

from gx.runtime.processes.deadman import read_token
from gx.runtime.settings import DeadmanSettings, SettingsError


@pytest.mark.parametrize("host", ["0.0.0.0", "10.1.2.3", "deadman.internal"])  # noqa: S104 (refused)
def test_who_can_be_reached_by_others_needs_a_token(host: str, tmp_path: Path) -> None:
    """Else anybody on the network could send heartbeats, and keep it quiet."""
    with pytest.raises(SettingsError, match="GX_DEADMAN_TOKEN_FILE"):
        read_token(DeadmanSettings(host=host))

    (tmp_path / "token").write_text("secret\n")
    assert read_token(DeadmanSettings(host=host, token_file=tmp_path / "token")) == "secret"


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost"])
def test_on_this_machine_none_is_needed(host: str) -> None:
    """The local stack's own Alertmanager sends without one."""
    assert read_token(DeadmanSettings(host=host)) is None
