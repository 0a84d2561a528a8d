"""`gx api`: the HTTP edge."""

import typer

from gx.runtime.processes.api import run_api

app = typer.Typer(name="api", no_args_is_help=True, add_completion=False)


@app.callback()
def group() -> None:
    """Serve the HTTP API.

    Examples:
      gx api serve
    """


@app.command("serve")
def serve() -> None:
    """Serve the HTTP API until a signal asks to stop.

    Every setting is an environment variable GX_API_...;
    DATABASE_URL names the database.

    Examples:
      gx api serve
      DATABASE_URL=postgresql://me@db/gx GX_API_PORT=8080 gx api serve
    """
    run_api()
