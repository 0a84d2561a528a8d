"""`gx projection`: the read models."""

import asyncio
import getpass
from collections.abc import Sequence
from typing import Annotated

import typer

from gx.cli.failures import CheckFailedError
from gx.cli.options import JsonOption
from gx.cli.output import progress, show, show_fields, show_json, time_text
from gx.domain.codec import JsonObject, JsonValue, encode
from gx.runtime.processes.projector import run_projector
from gx.runtime.read_models import (
    ParkedEvent,
    ProjectionStatus,
    RebuildRequest,
    park_event,
    projection_status,
    rebuild_projection,
)

app = typer.Typer(name="projection", no_args_is_help=True, add_completion=False)


@app.callback()
def group() -> None:
    """Run, show and rebuild the read models.

    Works on the database of GX_DATABASE_DSN or DATABASE_URL, else on the
    running local stack's.

    Examples:
      gx projection status
    """


@app.command("run")
def run() -> None:
    """Fold the ledger's events into the read models until a signal asks to stop.

    One projector of a channel is active; others stand by and take over within
    seconds.

    Examples:
      gx projection run
      DATABASE_URL=postgresql://me@db/gx gx projection run
    """
    run_projector()


@app.command("status")
def status(as_json: JsonOption = False) -> None:
    """Show where the projection stands, who projects, and what is in the way.

    Exits with 1 if the projection stands still at an event, or nobody projects.

    Examples:
      gx projection status
      gx projection status --json
    """
    found, parked = asyncio.run(projection_status())
    if as_json:
        show_json(_wire(found, parked))
    else:
        show_fields(_fields(found))
        for event in parked:
            show(
                f"parked: event {event.position} of block {event.block_number} by {event.actor}: "
                f"{event.reason}"
            )
    if found.stop is not None:
        raise CheckFailedError(
            f"the projection stands still at event {found.stop.position} of block "
            f"{found.stop.block_number}: {found.stop.error}"
        )
    if found.holder is None:
        raise CheckFailedError("nobody projects: start `gx projection run`, or see `gx status`")


@app.command("park")
def park(
    block: Annotated[int, typer.Argument(min=0, help="The block at which it stands still.")],
    position: Annotated[int, typer.Argument(min=0, help="The event's position in the block.")],
    reason: Annotated[
        str, typer.Option("--reason", help="Why; it is kept in the audit with your name.")
    ],
) -> None:
    """Set aside the one event at which the projection stands still.

    The event is stored and counted, an alert goes on as long as it is parked,
    and the read models lack its effect. `gx projection status` names the event.
    One that only a newer release can read stays: upgrade the projector first.

    Examples:
      gx projection park 1042 3 --reason "From a broken version, see INC-7"
    """
    if not asyncio.run(park_event(block, position, actor=getpass.getuser(), reason=reason)):
        raise CheckFailedError(
            f"the projection does not stand still at event {position} of block {block}, or the "
            "event is of a newer release and waits for it; `gx projection status` tells"
        )
    show(f"parked event {position} of block {block}; the projection goes on behind it")


@app.command("rebuild")
def rebuild(
    reason: Annotated[
        str, typer.Option("--reason", help="Why; it is kept in the audit with your name.")
    ],
    accept_new_chain: Annotated[
        bool,
        typer.Option("--accept-new-chain", help="Replace read models of another ledger."),
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Build the read models anew from block 0, beside the live ones.

    Queries and the projector go on meanwhile; at the end the tables change
    places in one transaction. If it is interrupted, the live ones are as they
    were.

    Examples:
      gx projection rebuild --reason "Compare with the ledger"
      gx projection rebuild --reason "Ledger restored" --accept-new-chain
    """
    request = RebuildRequest(
        actor=getpass.getuser(), reason=reason, accept_new_chain=accept_new_chain
    )
    with progress("rebuilding ...") as line:
        done = asyncio.run(
            rebuild_projection(
                request,
                lambda moment: line.tell(f"block {moment.block_number} of {moment.height - 1} ..."),
            )
        )
    if as_json:
        show_json(
            {
                "ok": True,
                "blockNumber": done.block_number,
                "events": done.events,
                "durationMs": round(done.elapsed_s * 1_000),
            }
        )
        return
    show(
        f"rebuilt from {done.events} events up to block {done.block_number} "
        f"in {done.elapsed_s:.1f} s"
    )


def _fields(found: ProjectionStatus) -> list[tuple[str, str]]:
    stop = found.stop
    return [
        ("projected up to block", str(found.checkpoint.block_number)),
        ("of", time_text(found.checkpoint.block_timestamp_ms)),
        ("moved", f"{found.age_ms / 1_000:.1f} s ago"),
        ("chain", found.checkpoint.genesis_hash[:16]),
        ("active projector", found.holder or "none"),
        ("epoch", str(found.epoch)),
        ("parked events", str(found.parked)),
        ("stands still at", "" if stop is None else f"{stop.block_number}/{stop.position}"),
        ("because", "" if stop is None else stop.error),
        ("event", "" if stop is None else encode(stop.event)),
    ]


def _wire(found: ProjectionStatus, parked: Sequence[ParkedEvent]) -> JsonObject:
    stop = found.stop
    set_aside: list[JsonValue] = [
        {
            "blockNumber": event.block_number,
            "position": event.position,
            "event": event.event,
            "reason": event.reason,
            "actor": event.actor,
        }
        for event in parked
    ]
    return {
        "ok": stop is None and found.holder is not None,
        "blockNumber": found.checkpoint.block_number,
        "blockTimestampMs": found.checkpoint.block_timestamp_ms,
        "genesisHash": found.checkpoint.genesis_hash,
        "ageMs": found.age_ms,
        "holder": found.holder,
        "epoch": found.epoch,
        "parked": set_aside,
        "stop": None
        if stop is None
        else {
            "blockNumber": stop.block_number,
            "position": stop.position,
            "eventType": stop.event_type,
            "event": stop.event,
            "error": stop.error,
            "isNewer": stop.is_newer,
        },
    }
