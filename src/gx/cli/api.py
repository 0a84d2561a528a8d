"""`gx api`: the HTTP edge."""

from typing import Annotated

import typer

from gx.api.areas import UnknownAreaError, parse_areas
from gx.cli.failures import UsageFailedError
from gx.runtime.processes.api import ApiChoices, run_api

app = typer.Typer(name="api", no_args_is_help=True, add_completion=False)

AreasOption = Annotated[
    str | None,
    typer.Option("--areas", help="Serve only these areas, by commas; else GX_API_AREAS, else all."),
]
PortOption = Annotated[
    int | None, typer.Option("--port", min=0, max=65_535, help="Else GX_API_PORT.")
]
MetricsPortOption = Annotated[
    int | None,
    typer.Option("--metrics-port", min=0, max=65_535, help="Else GX_API_METRICS_PORT."),
]


@app.callback(invoke_without_command=True)
def group(
    context: typer.Context,
    areas: AreasOption = None,
    port: PortOption = None,
    metrics_port: MetricsPortOption = None,
) -> None:
    """Serve the HTTP API: all of it, or some areas as a service of their own.

    Each service answers for its own areas, and tells what became of any
    command. Its metrics carry the areas as their label `service`.

    Examples:
      gx api serve
      gx api --areas tokenomics,tax --port 8001 --metrics-port 9195
    """
    if context.invoked_subcommand is None:
        _run(areas, port, metrics_port)
    elif (areas, port, metrics_port) != (None, None, None):
        raise UsageFailedError(f"options come after it: gx api {context.invoked_subcommand} ...")


@app.command("serve")
def serve(
    areas: AreasOption = None,
    port: PortOption = None,
    metrics_port: MetricsPortOption = None,
) -> None:
    """Serve the HTTP API until a signal asks to stop.

    Every setting is an environment variable GX_API_...;
    DATABASE_URL names the database.

    Examples:
      gx api serve
      gx api serve --areas loans --port 8002 --metrics-port 9196
      DATABASE_URL=postgresql://me@db/gx GX_API_PORT=8080 gx api serve
    """
    _run(areas, port, metrics_port)


def _run(areas: str | None, port: int | None, metrics_port: int | None) -> None:
    try:
        parse_areas(areas or "")
    except UnknownAreaError as error:
        raise UsageFailedError(f"--areas: {error}") from error
    run_api(ApiChoices(areas=areas, port=port, metrics_port=metrics_port))
