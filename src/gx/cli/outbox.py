"""`gx outbox`: the submitter."""

import typer

from gx.runtime.processes.submitter import run_submitter

app = typer.Typer(name="outbox", no_args_is_help=True, add_completion=False)


@app.callback()
def group() -> None:
    """Submit commands to the ledger.

    Examples:
      gx outbox submit
    """


@app.command("submit")
def submit() -> None:
    """Submit accepted commands to the ledger until a signal asks to stop.

    One submitter of a channel is active; others stand by and take over within
    seconds.

    Examples:
      gx outbox submit
      DATABASE_URL=postgresql://me@db/gx gx outbox submit
    """
    run_submitter()
