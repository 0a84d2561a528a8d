"""`gx fabric`: Hyperledger Fabric's programs, and a native network of them on this machine."""

import asyncio
import contextlib
from pathlib import Path
from typing import Annotated

import typer

from gx.cli.failures import CheckFailedError
from gx.cli.options import DataDirOption, JsonOption
from gx.cli.output import progress, say, show, show_fields, show_json
from gx.cli.stack import folder_of, show_logs, show_status
from gx.domain.codec import JsonObject
from gx.fabric.building import GoMissingError, ModuleRefusedError, install_binaries
from gx.fabric.checks import Check, Grade
from gx.fabric.release import Program
from gx.runtime.fabric_launch import (
    current_folder,
    network_folder,
    own_network,
    run_network,
    stop_network,
)
from gx.runtime.fabric_network import NetworkStack
from gx.runtime.fabric_preflight import preflight as run_preflight
from gx.runtime.process import ItemState, ItemStatus
from gx.runtime.settings import FabricNetworkSettings, environment, load
from gx.runtime.stack import StackFolder

app = typer.Typer(name="fabric", no_args_is_help=True, add_completion=False)


@app.callback()
def group() -> None:
    """Run a native Hyperledger Fabric network.

    Examples:
      gx fabric install
      gx fabric up
    """


@app.command("install")
def install(
    optional: Annotated[
        bool,
        typer.Option(
            "--optional", help="Exit with 0 where Go is absent or may not have the module."
        ),
    ] = False,
) -> None:
    """Build Fabric's programs with Go, once, unless they are there already.

    They go into a cache outside the checkout; GX_FABRIC_NETWORK_CACHE_DIR
    names another folder. Programs on PATH are used as they are.

    Examples:
      gx fabric install
      gx fabric install --optional
    """
    settings = load(FabricNetworkSettings)
    try:
        binaries = install_binaries(settings.cache_dir, environment=environment(), report=say)
    except (GoMissingError, ModuleRefusedError) as error:
        if not optional:
            raise
        say(f"No Fabric network here: {error}")
        return
    show(f"Fabric {binaries.version}: {binaries.paths[Program.PEER].parent}")


@app.command("up")
def up(data_dir: DataDirOption = None) -> None:
    """Start an orderer, two organisations' peers and the chaincode on loopback.

    Ctrl-C, or `gx fabric down` in another terminal, stops all of it; its keys
    and ledgers stay in the folder `fabric` of GX_DATA_DIR. The first start
    deploys this project's chaincode; `gx chaincode upgrade` deploys another.
    Each port has a setting, such as GX_FABRIC_NETWORK_ORDERER_PORT.
    `gx up --ledger fabric` runs the whole system on such a network.

    Examples:
      gx fabric up
      gx fabric up --data-dir /tmp/gx
    """
    folder_of(data_dir)
    observer = NetworkObserver(network_folder(own_network()))
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(run_network(observer.announce))
    say("The network has stopped.")


@app.command("down")
def down(
    wipe: Annotated[
        bool, typer.Option("--wipe", help="Remove the network's keys and ledgers, too.")
    ] = False,
    data_dir: DataDirOption = None,
) -> None:
    """Stop the network and wait until all of it has stopped; its data stays.

    Examples:
      gx fabric down
      gx fabric down --wipe
    """
    folder_of(data_dir)
    with progress("stopping ..."):
        outcome = stop_network(wipe=wipe)
    show(outcome)


@app.command("status")
def status(data_dir: DataDirOption = None, as_json: JsonOption = False) -> None:
    """Show what of the network runs, and where.

    Exits with 1 if something that should run does not, with 3 if none runs.

    Examples:
      gx fabric status
      gx fabric status --json
    """
    folder_of(data_dir)
    show_status(current_folder(), as_json=as_json, start="gx fabric up")


@app.command("logs")
def logs(
    process: Annotated[
        str | None, typer.Argument(help="Which process; all of them if you name none.")
    ] = None,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Go on with what comes, until Ctrl-C.")
    ] = False,
    lines: Annotated[
        int, typer.Option("--lines", "-n", min=0, max=100_000, help="Last lines of each.")
    ] = 50,
    data_dir: DataDirOption = None,
) -> None:
    """Show what the network's processes say.

    Examples:
      gx fabric logs
      gx fabric logs peer-org1 -f
    """
    folder_of(data_dir)
    show_logs(current_folder(), process, follow=follow, lines=lines)


@app.command("preflight")
def preflight(
    profile: Annotated[
        Path | None,
        typer.Option("--profile", help="The connection profile; else GX_FABRIC_PROFILE's."),
    ] = None,
    administration: Annotated[
        Path | None,
        typer.Option("--administration", help="The administration file; else the one beside it."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Check a Fabric network before clients are pointed at it.

    Endpoints, TLS names and roots, MSP ids, certificates' dates and roles, the
    channel, the chaincode's sequence, and the endorsement policy.
    Exits with 1 if something is wrong; a warning alone is no failure.

    Examples:
      gx fabric preflight
      gx fabric preflight --profile fabric/profile.json --json
    """
    with progress("looking ..."):
        checks = asyncio.run(run_preflight(profile, administration))
    if as_json:
        show_json({"checks": [_check_wire(check) for check in checks]})
    else:
        for check in checks:
            show(f"{check.grade.value:<8} {check.subject}: {check.finding}")
            if check.advice:
                show(f"{'':<8} -> {check.advice}")
    wrong = [check.subject for check in checks if check.grade is Grade.WRONG]
    if wrong:
        raise CheckFailedError(f"{len(wrong)} of {len(checks)} checks found something wrong")


def _check_wire(check: Check) -> JsonObject:
    return {
        "subject": check.subject,
        "grade": check.grade.value,
        "finding": check.finding,
        "advice": check.advice or None,
    }


class NetworkObserver:
    """Tells people what the network does. See `gx.runtime.process.StackObserver`."""

    def __init__(self, folder: StackFolder) -> None:
        self._folder = folder
        self._urls: dict[str, str] = {}

    def announce(self, stack: NetworkStack) -> "NetworkObserver":
        """Take note of what will run; it is told before anything starts."""
        self._urls = stack.urls()
        say(f"Starting Fabric {stack.binaries.version} in {self._folder.root}")
        return self

    def item_changed(self, status: ItemStatus) -> None:
        """Tell what is ready, and what went wrong."""
        if status.state in _TOLD:
            detail = f": {status.detail}" if status.detail else ""
            say(f"  {status.name:<12} {status.state.value}{detail}")

    def stack_ready(self, elapsed_s: float) -> None:
        """Print where everything is."""
        say(f"The network runs after {elapsed_s:.1f} s. Ctrl-C stops it; its data stays.")
        show_fields(self._urls.items())


_TOLD = frozenset({ItemState.READY, ItemState.DONE, ItemState.BACKOFF, ItemState.FAILED})
