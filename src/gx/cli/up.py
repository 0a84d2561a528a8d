"""`gx up`: start the local stack and stay with it."""

import asyncio
import contextlib
from typing import Annotated

import typer

from gx.cli.options import DataDirOption
from gx.cli.output import say
from gx.cli.stack import folder_of
from gx.cli.starting import UpObserver, bootstrap_stack
from gx.ledger.kinds import LedgerKind
from gx.runtime.launch import run_local_stack
from gx.runtime.local_stack import LocalStackOptions

app = typer.Typer(add_completion=False)


@app.command("up")
def up(
    with_redis: Annotated[
        bool, typer.Option("--redis/--no-redis", help="Share rate limits through Valkey.")
    ] = True,
    with_monitoring: Annotated[
        bool,
        typer.Option("--monitoring/--no-monitoring", help="Run Prometheus and Alertmanager."),
    ] = True,
    with_bootstrap: Annotated[
        bool,
        typer.Option("--bootstrap/--no-bootstrap", help="Create the pools and open countries."),
    ] = True,
    demo: Annotated[
        bool, typer.Option("--demo", help="Send a little traffic once it runs.")
    ] = False,
    ledger: Annotated[
        LedgerKind | None, typer.Option("--ledger", help="The embedded ledger, or Fabric.")
    ] = None,
    data_dir: DataDirOption = None,
) -> None:
    """Start the whole system on this machine.

    PostgreSQL, Valkey, ledger, API, submitter, projector, Prometheus and
    Alertmanager, all on loopback. Ctrl-C, or `gx down` in another terminal,
    stops all of it; its data stays. With `--ledger fabric` the ledger is a
    native Hyperledger Fabric network, as `gx fabric up` starts one.
    Each port has a setting, such as GX_API_PORT; a taken port names its own.

    Examples:
      gx up
      gx up --demo
      gx up --ledger fabric
      gx up --no-redis --no-monitoring --data-dir /tmp/gx
      DATABASE_URL=postgresql://me@db/gx gx up
    """
    folder = folder_of(data_dir)
    observer = UpObserver(folder, with_demo=demo)
    options = LocalStackOptions(
        ledger=ledger,
        with_redis=with_redis,
        with_monitoring=with_monitoring,
        bootstrap=bootstrap_stack if with_bootstrap else None,
    )
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(run_local_stack(options, announce=observer.announce, report=say))
    say("The stack has stopped.")
