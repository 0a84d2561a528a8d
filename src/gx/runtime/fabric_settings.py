"""The knobs of Fabric's clients, apart from the others because they come with an extra."""

from pathlib import Path

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from gx.ledger.kinds import LedgerKind
from gx.runtime.settings import CommonSettings, Group, LedgerSettings, load


class FabricSettings(Group):
    """Settings of Fabric's clients, where `GX_LEDGER` is `fabric`: `GX_FABRIC_<NAME>`.

    The time-outs are for one call of one peer. A gateway serves 500 calls at a time for all its
    clients together (`peer.limits.concurrency.gatewayService`); `calls_max` is our share of them.
    """

    model_config = SettingsConfigDict(env_prefix="GX_FABRIC_", frozen=True, extra="ignore")

    profile: Path = Path("var/fabric/profile.json")
    evaluate_timeout_s: float = Field(default=10.0, ge=0.5, le=120)
    endorse_timeout_s: float = Field(default=15.0, ge=0.5, le=120)
    submit_timeout_s: float = Field(default=10.0, ge=0.5, le=120)
    query_timeout_s: float = Field(default=5.0, ge=0.5, le=120)
    watch_every_s: float = Field(default=2.0, ge=0.1, le=60)
    silence_max_s: float = Field(default=6.0, ge=0.5, le=300)
    calls_max: int = Field(default=128, ge=1, le=500)


def ledger_settings(common: CommonSettings) -> LedgerSettings | FabricSettings:
    """Read the settings of the ledger that is in use.

    Raises:
        SettingsError: a value is out of bounds.
    """
    if common.ledger is LedgerKind.FABRIC:
        return load(FabricSettings)
    return load(LedgerSettings)
