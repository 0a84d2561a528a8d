"""`gx chaincode`: the contracts on Hyperledger Fabric."""

import typer

from gx.cli.chaincode_calls import add_calls
from gx.cli.chaincode_lifecycle import add_lifecycle
from gx.runtime.processes.chaincode import run_chaincode

app = typer.Typer(name="chaincode", no_args_is_help=True, add_completion=False)


@app.callback()
def group() -> None:
    """Serve, call and deploy the contracts.

    Examples:
      gx chaincode status
      gx chaincode query AdminContract:GetSystemStatus
      gx chaincode upgrade
    """


@app.command("serve")
def serve() -> None:
    """Serve the contracts as a chaincode until a signal asks to stop.

    CHAINCODE_ID (or GX_CHAINCODE_PACKAGE_ID) is the installed package's id,
    CHAINCODE_SERVER_ADDRESS (or GX_CHAINCODE_ADDRESS) is where peers connect.
    GX_CHAINCODE_TLS_... name the files of mutual TLS.

    Examples:
      CHAINCODE_ID=gxtv3_1:2f0c... gx chaincode serve
      GX_CHAINCODE_ADDRESS=0.0.0.0:9999 CHAINCODE_ID=... gx chaincode serve
    """
    run_chaincode()


add_calls(app)
add_lifecycle(app)
