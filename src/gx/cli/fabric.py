"""`gx fabric`: Hyperledger Fabric's programs, and a native network of them on this machine."""

from typing import Annotated

import typer

from gx.cli.output import say, show
from gx.fabric.building import GoMissingError, ModuleRefusedError, install_binaries
from gx.fabric.release import Program
from gx.runtime.settings import FabricNetworkSettings, environment, load

app = typer.Typer(name="fabric", no_args_is_help=True, add_completion=False)


@app.callback()
def group() -> None:
    """Run a native Hyperledger Fabric network.

    Examples:
      gx fabric install
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
