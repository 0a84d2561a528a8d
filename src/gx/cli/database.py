"""`gx db`: the schema."""

import asyncio

import typer

from gx.cli.failures import CheckFailedError
from gx.cli.options import JsonOption
from gx.cli.output import show, show_fields, show_json
from gx.database import migrations
from gx.domain.codec import JsonValue
from gx.runtime.inspection import database_dsn

app = typer.Typer(name="db", no_args_is_help=True, add_completion=False)


@app.callback()
def group() -> None:
    """Migrate the database and show its version.

    The database is the one of GX_DATABASE_DSN or DATABASE_URL, else the
    running local stack's.

    Examples:
      gx db status
      psql "$(gx db dsn)"
    """


@app.command("migrate")
def migrate(as_json: JsonOption = False) -> None:
    """Bring the schema up to date; what is applied already is left alone.

    Examples:
      gx db migrate
      DATABASE_URL=postgresql://me@db/gx gx db migrate --json
    """
    applied = [migration.name for migration in asyncio.run(migrations.migrate(database_dsn()))]
    if as_json:
        show_json({"applied": list[JsonValue](applied)})
    else:
        show(f"applied {', '.join(applied)}" if applied else "the schema is up to date")


@app.command("dsn")
def dsn() -> None:
    """Print where the database is, for psql and its like.

    It may hold a password: keep it out of logs.

    Examples:
      psql "$(gx db dsn)" -c "select count(*) from outbox"
    """
    show(database_dsn())


@app.command("status")
def status(as_json: JsonOption = False) -> None:
    """Compare the schema with this version's migrations.

    Exits with 1 if a migration is missing, or if a newer release has taken away
    what this one uses. One that has only added is no problem.

    Examples:
      gx db status
      gx db status --json
    """
    found = asyncio.run(migrations.status(database_dsn()))
    waiting = [migration.name for migration in found.pending]
    if as_json:
        show_json(
            {
                "ok": found.problem is None,
                "applied": list[JsonValue](found.applied),
                "pending": list[JsonValue](waiting),
                "unknown": list[JsonValue](found.unknown),
                "needed": list[JsonValue](found.needed),
            }
        )
    else:
        show_fields(
            [
                ("applied", ", ".join(found.applied)),
                ("pending", ", ".join(waiting)),
                ("of newer releases", ", ".join(found.unknown)),
                ("this version is too old for", ", ".join(found.needed)),
            ]
        )
    if found.problem is not None:
        raise CheckFailedError(found.problem)
