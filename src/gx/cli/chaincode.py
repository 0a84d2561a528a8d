"""`gx chaincode`: the contracts on Hyperledger Fabric."""

import typer

from gx.runtime.processes.chaincode import run_chaincode

app = typer.Typer(name="chaincode", no_args_is_help=True, add_completion=False)


@app.callback()
def group() -> None:
    """Serve the contracts to Fabric's peers.

    Examples:
      gx chaincode serve
    """


@app.command("serve")
def serve() -> None:
    """Serve the contracts as a chaincode until a signal asks to stop.

    CHAINCODE_ID (or GX_CHAINCODE_PACKAGE_ID) is the installed package's id,
    CHAINCODE_SERVER_ADDRESS (or GX_CHAINCODE_ADDRESS) is where peers connect.
    GX_CHAINCODE_TLS_... name the files of mutual TLS.

    Examples:
      CHAINCODE_ID=gxtv3_1:2f0c... gx chaincode serve
      CHAINCODE_ID=gxtv3_1:2f0c... CHAINCODE_SERVER_ADDRESS=0.0.0.0:9999 gx chaincode serve
    """
    run_chaincode()
