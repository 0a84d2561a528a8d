"""`gx ledger`: the local ledger."""

from typing import Annotated

import typer

from gx.cli.failures import CheckFailedError
from gx.cli.options import JsonOption
from gx.cli.output import progress, show, show_json, show_table, time_text
from gx.domain.codec import JsonObject, JsonValue
from gx.runtime import inspection
from gx.runtime.inspection import BlockSummary
from gx.runtime.processes.ledger import run_ledger

app = typer.Typer(name="ledger", no_args_is_help=True, add_completion=False)


@app.callback()
def group() -> None:
    """Serve, read and verify the local ledger.

    Examples:
      gx ledger verify
    """


@app.command("serve")
def serve() -> None:
    """Serve the local ledger on its Unix socket until a signal asks to stop.

    GX_LEDGER_FOLDER and GX_LEDGER_SOCKET say where.

    Examples:
      gx ledger serve
      GX_LEDGER_FOLDER=/tmp/l GX_LEDGER_SOCKET=/tmp/l.sock gx ledger serve
    """
    run_ledger()


@app.command("verify")
def verify(as_json: JsonOption = False) -> None:
    """Recompute every hash and the whole state, and name the first difference.

    Starts from block 0 and reads the ledger's file beside a running server. On
    Fabric the blocks come from a peer, every hash is recomputed, and the peers'
    newest blocks are compared. Exits with 1 if there is a difference.

    Examples:
      gx ledger verify
      gx ledger verify --json
    """
    with progress("verifying ...") as line:
        report = inspection.verify(lambda done, of: line.tell(f"block {done} of {of} ..."))
    difference = None if report.difference is None else str(report.difference)
    if as_json:
        show_json(
            {
                "ok": difference is None,
                "blocks": report.blocks,
                "transactions": report.transactions,
                "keys": report.keys,
                "tipHash": report.tip_hash,
                "difference": difference,
            }
        )
    if difference is not None:
        raise CheckFailedError(f"the ledger is not what it should be: {difference}")
    if not as_json:
        show(
            f"{report.blocks} blocks, {report.transactions} transactions and {report.keys} keys "
            f"are as they must be; newest hash {report.tip_hash[:16]}"
        )


@app.command("blocks")
def blocks(
    first: Annotated[
        int | None, typer.Option("--from", min=0, help="First block; else the newest ones.")
    ] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=10_000, help="How many.")] = 20,
    as_json: JsonOption = False,
) -> None:
    """Show what the blocks of the local ledger hold.

    Examples:
      gx ledger blocks
      gx ledger blocks --from 0 --limit 5 --json
    """
    found = inspection.blocks(first=first, limit=limit)
    if as_json:
        items: list[JsonValue] = [_wire(block) for block in found]
        show_json({"items": items})
        return
    show_table(
        ("block>", "when", "function", "role", "validation", "keys>", "bytes>", "hash"),
        (
            (
                str(block.number),
                time_text(block.timestamp_ms),
                block.function,
                block.role,
                block.validation_code,
                str(block.keys_written),
                str(block.content_bytes),
                block.hash[:16],
            )
            for block in found
        ),
    )


def _wire(block: BlockSummary) -> JsonObject:
    return {
        "number": block.number,
        "hash": block.hash,
        "previousHash": block.previous_hash,
        "timestampMs": block.timestamp_ms,
        "transactionId": block.transaction_id,
        "validationCode": block.validation_code.value,
        "role": block.role,
        "function": block.function,
        "event": block.event,
        "keysRead": block.keys_read,
        "keysWritten": block.keys_written,
        "contentBytes": block.content_bytes,
    }
