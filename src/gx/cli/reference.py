"""`gx openapi`, `gx catalogue`, `gx access`, `gx settings`: generated documents."""

from pathlib import Path
from typing import Annotated

import typer

from gx.api.areas import UnknownAreaError, parse_areas, routes_of
from gx.api.openapi import render_openapi
from gx.cli.failures import UsageFailedError
from gx.cli.options import JsonOption
from gx.cli.output import say, show_json
from gx.domain.commands import Area
from gx.operations.access_reference import render_access
from gx.operations.catalogue_map import describe_catalogue
from gx.operations.reference import render_catalogue
from gx.runtime.settings_reference import render_settings

app = typer.Typer(add_completion=False)

OutputOption = Annotated[
    Path | None, typer.Option("--output", "-o", help="The file to write; else stdout.")
]


@app.command("openapi")
def openapi(
    output: OutputOption = None,
    areas: Annotated[
        str, typer.Option("--areas", help="Only what a service of these areas answers.")
    ] = "",
    each_area: Annotated[
        Path | None, typer.Option("--each-area", help="The folder for one document an area.")
    ] = None,
) -> None:
    """Write the API's OpenAPI document.

    Examples:
      gx openapi
      gx openapi --output docs/reference/openapi.json
      gx openapi --areas tokenomics,tax
      gx openapi --each-area docs/reference/openapi
    """
    if each_area is not None:
        for area in Area:
            _write(render_openapi(routes_of({area})), each_area / f"{area}.json")
        return
    try:
        _write(render_openapi(routes_of(parse_areas(areas))), output)
    except UnknownAreaError as error:
        raise UsageFailedError(f"--areas: {error}") from error


@app.command("catalogue")
def catalogue(output: OutputOption = None, as_json: JsonOption = False) -> None:
    """Write the catalogue: every command from its route to its metrics.

    Command, route, contract function, roles, events, read models, metrics and
    refusal codes; then queries, reading functions, parameters and all codes.

    Examples:
      gx catalogue
      gx catalogue --json
      gx catalogue --output docs/reference/catalogue.md
    """
    if as_json:
        show_json(describe_catalogue())
    else:
        _write(render_catalogue(), output)


@app.command("access")
def access(output: OutputOption = None) -> None:
    """Write who may do what.

    Examples:
      gx access
      gx access --output docs/reference/access.md
    """
    _write(render_access(), output)


@app.command("settings")
def settings(output: OutputOption = None) -> None:
    """Write the reference of settings: every variable with its default and bounds.

    Examples:
      gx settings
      gx settings --output docs/reference/settings.md
    """
    _write(render_settings(), output)


def _write(text: str, output: Path | None) -> None:
    if output is None:
        print(text, end="")
        return
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(text, encoding="utf-8")
    say(f"wrote {output}")
