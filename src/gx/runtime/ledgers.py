"""Which ledger a process speaks to: the embedded one, or a Fabric channel, by `GX_LEDGER`."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from gx.domain.errors import GxError
from gx.domain.roles import LedgerRole
from gx.ledger.kinds import LedgerKind
from gx.ledger.local.client import LocalLedger
from gx.ledger.ports import Ledger
from gx.runtime.clock import SystemClock
from gx.runtime.fabric_settings import FabricSettings
from gx.runtime.settings import CommonSettings, LedgerSettings, load

if TYPE_CHECKING:
    from gx.ledger.fabric.client import FabricLedger


class FabricNotInstalledError(GxError):
    """The packages that speak to Fabric are not installed; the text says how to have them."""


class LedgerMismatchError(GxError):
    """Settings and connection profile name different channels; the text names both."""


def open_ledger(
    common: CommonSettings,
    *,
    on_reendorsed: Callable[[str], None] = lambda _reason: None,
    on_identity: Callable[[LedgerRole, float], None] = lambda _role, _not_after_s: None,
) -> Ledger:
    """Make a client of the ledger that the settings name; nothing is connected yet.

    `on_reendorsed` and `on_identity` are Fabric's alone: see `FabricLedger`.

    Raises:
        GxError: the connection profile, or an identity that it names, cannot be used.
    """
    match common.ledger:
        case LedgerKind.LOCAL:
            settings = load(LedgerSettings)
            return LocalLedger(settings.socket, deadline_s=deadline_s(settings))
        case LedgerKind.FABRIC:
            return open_fabric(
                common,
                load(FabricSettings).profile,
                on_reendorsed=on_reendorsed,
                on_identity=on_identity,
            )


def open_fabric(
    common: CommonSettings,
    profile_path: Path,
    *,
    on_reendorsed: Callable[[str], None] = lambda _reason: None,
    on_identity: Callable[[LedgerRole, float], None] = lambda _role, _not_after_s: None,
) -> "FabricLedger":
    """Make a client of the Fabric channel that a connection profile describes.

    Raises:
        GxError: the profile, or an identity that it names, cannot be used.
    """
    try:
        from gx.ledger.fabric.client import FabricLedger, FabricOptions  # noqa: PLC0415 (an extra)
        from gx.ledger.fabric.peers import Deadlines  # noqa: PLC0415 (an extra)
        from gx.ledger.fabric.profile import load_profile  # noqa: PLC0415 (an extra)
        from gx.ledger.fabric.stream import Watch  # noqa: PLC0415 (an extra)
    except ModuleNotFoundError as error:
        raise FabricNotInstalledError(
            f"GX_LEDGER=fabric needs the package {error.name}: pip install 'gx-protocol[fabric]'"
        ) from error
    settings = load(FabricSettings)
    profile = load_profile(profile_path)
    if profile.channel != common.channel:
        raise LedgerMismatchError(
            f"GX_CHANNEL is {common.channel}, but {profile_path} is for {profile.channel}: "
            "what was projected belongs to one channel; set both to the same"
        )
    options = FabricOptions(
        deadlines=Deadlines(
            evaluate_s=settings.evaluate_timeout_s,
            endorse_s=settings.endorse_timeout_s,
            submit_s=settings.submit_timeout_s,
            query_s=settings.query_timeout_s,
        ),
        watch=Watch(every_s=settings.watch_every_s, silence_max_s=settings.silence_max_s),
        calls_max=settings.calls_max,
    )
    return FabricLedger(
        profile,
        clock=SystemClock(),
        options=options,
        on_reendorsed=on_reendorsed,
        on_identity=on_identity,
    )


def deadline_s(settings: LedgerSettings) -> float:
    """Return how long one call of the embedded ledger may take."""
    return max(settings.prepare_timeout_s, settings.submit_timeout_s)
