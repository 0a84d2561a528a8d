"""`gx reconcile`: the ledger, the read models and the outbox, compared as a whole."""

import asyncio
import getpass
from dataclasses import asdict
from typing import Annotated, Final

import typer

from gx.cli.failures import CheckFailedError, NotRunningError, UsageFailedError
from gx.cli.options import JsonOption
from gx.cli.output import progress, say, show, show_fields, show_json
from gx.database.ports import LeaseLostError
from gx.domain.codec import JsonObject
from gx.domain.differences import Difference, DifferenceKind
from gx.domain.errors import GxError
from gx.ledger.errors import LedgerError
from gx.operations.reconcile import (
    OnProgress,
    ReconcileError,
    Reconciliation,
    Report,
    Sides,
)
from gx.projection.ports import WrongChainError
from gx.projection.reading import EventFoldError
from gx.runtime.read_models import RebuildRequest, rebuild_projection
from gx.runtime.reconciling import (
    AlreadyComparingError,
    Declaration,
    ledger_check,
    open_sides,
)
from gx.runtime.settings import SettingsError

app = typer.Typer(add_completion=False)

_ADVICE: Final = {
    DifferenceKind.LEDGER: (
        "stop the writers with `gx pause`, run `gx ledger verify`, and restore the ledger from a "
        "copy that is sound"
    ),
    DifferenceKind.RESULT_WRONG: (
        "tell the command's owner what the ledger says; then find out who wrote to the database"
    ),
    DifferenceKind.RESULT_MISSING: (
        "restore the missing rows from a backup, or tell the command's owner what the ledger says"
    ),
    DifferenceKind.RESULT_UNFOUNDED: (
        "the ledger does not have what these commands were told: if it was restored from an older "
        "copy, bring back the right one; else tell their owners"
    ),
    DifferenceKind.COMMAND_UNKNOWN: (
        "if another program sends batches to this channel, or the database was restored from an "
        'older dump, declare them: `gx reconcile --declare-outside --reason "..."`'
    ),
    DifferenceKind.COMMAND_LOST: (
        "restore the missing rows from a backup, or ask the owners to send the commands again "
        "under the same keys"
    ),
    DifferenceKind.ENVELOPE_ENDLESS: "see the submitter's log, and whether the ledger answers",
}
_NOT_COMPARED: Final = (
    AlreadyComparingError,
    EventFoldError,
    LeaseLostError,
    LedgerError,
    ReconcileError,
    SettingsError,
    WrongChainError,
)
_REPAIR: Final = 'the ledger is right: `gx reconcile --repair --reason "..."` makes them again'


class NotComparedError(NotRunningError):
    """The comparison did not begin, or was ended half-way: nothing is known."""


@app.command("reconcile")
def reconcile(
    repair: Annotated[
        bool,
        typer.Option("--repair", help="Rebuild the read models if they differ; nothing else."),
    ] = False,
    declare_outside: Annotated[
        bool,
        typer.Option(
            "--declare-outside", help="Declare commands that the outbox never had as others'."
        ),
    ] = False,
    reason: Annotated[
        str, typer.Option("--reason", help="Why; it is kept in the audit with your name.")
    ] = "",
    as_json: JsonOption = False,
) -> None:
    """Compare ledger, read models and outbox.

    Reads every block, while the system goes on, and compares as of one block:
    each read model's rows, each command's answer, and all sums. The ledger is
    right by definition; the first difference is named with both sides.

    Not compared, since no block holds it: what was asked (a command's
    arguments and actor), answers without a transaction (refused before the
    ledger, or discarded), dead letters, idempotency keys and the audit log.

    --repair rebuilds the read models and compares again, unless the ledger
    itself is unsound. It never touches the ledger, the outbox or the results
    of commands.

    Exits with 0 if all agree, 1 if something differs, 3 if nothing could be
    compared: ledger or database are not named or cannot be reached, the ledger
    is not the projected one, or somebody compares already. With --json that is
    told as `error`.

    Examples:
      gx reconcile
      gx reconcile --json
      gx reconcile --repair --reason "A row was edited by hand"
      gx reconcile --declare-outside --reason "Restored the dump of 14:05"
    """
    if (repair or declare_outside) and not reason:
        raise UsageFailedError("say why with --reason: it is kept in the audit with your name")
    if reason and not (repair or declare_outside):
        raise UsageFailedError("--reason says why of --repair or --declare-outside: name one")
    declaration = Declaration(actor=getpass.getuser(), reason=reason) if declare_outside else None
    is_repaired = False
    try:
        with progress("comparing ...") as line:
            report = asyncio.run(_compare(declaration, line.tell))
        refusal = _why_not_rebuilt(report)
        if repair and refusal is None:
            _tell_first(report)
            with progress("rebuilding ...") as line:
                asyncio.run(_rebuild(reason, line.tell))
            is_repaired = True
            with progress("comparing again ...") as line:
                report = asyncio.run(_compare(None, line.tell))
        elif repair:
            say(f"nothing was rebuilt: {refusal}")
    except GxError as error:
        if as_json:
            show_json({"ok": None, "isRepaired": is_repaired, "error": str(error)})
        raise
    _show(report, as_json=as_json, is_repaired=is_repaired)


def _why_not_rebuilt(report: Report) -> str | None:
    """Say why making the read models again would mend nothing; None if it would."""
    kinds = report.tally.counts
    if DifferenceKind.LEDGER in kinds:
        return (
            "the ledger contradicts itself, and whatever is made from it would be as wrong; the "
            "read models stay as they are"
        )
    if any(kind.is_of_read_models for kind in kinds):
        return None
    if kinds:
        return "the read models agree with the ledger; what differs is not made from it"
    return "nothing differs"


async def _compare(declaration: Declaration | None, tell: OnProgress) -> Report:
    try:
        return await _compare_all(declaration, tell)
    except _NOT_COMPARED as error:
        raise NotComparedError(str(error)) from error


async def _compare_all(declaration: Declaration | None, tell: OnProgress) -> Report:
    async with open_sides(declaration) as (source, live, replica, book):
        sides = Sides(
            source=source, live=live, replica=replica, book=book, check_ledger=ledger_check()
        )
        return await Reconciliation(sides, tell).run()


async def _rebuild(reason: str, tell: OnProgress) -> None:
    request = RebuildRequest(actor=getpass.getuser(), reason=reason)
    done = await rebuild_projection(
        request, lambda moment: tell(f"block {moment.block_number} of {moment.height - 1} ...")
    )
    say(f"rebuilt from {done.events} events up to block {done.block_number}")


def _tell_first(report: Report) -> None:
    for kind, difference in report.tally.firsts.items():
        if kind.is_of_read_models:
            say(f"{kind}: {difference.sentence()}")
    say(
        "rebuilding the read models from the ledger beside the live ones; ledger, outbox and "
        "results stay as they are"
    )


def _show(report: Report, *, as_json: bool, is_repaired: bool) -> None:
    first = report.tally.first
    if as_json:
        show_json(_wire(report, is_repaired=is_repaired))
    elif first is None:
        show(f"ledger, read models and outbox agree as of block {report.block_number}")
    if not as_json:
        show_fields(_fields(report))
    if first is not None:
        count = report.tally.total
        more = "" if count == 1 else f", the first of {count} differences"
        raise CheckFailedError(f"{first.sentence()}{more}. What to do: {_advice(first.kind)}")


def _advice(kind: DifferenceKind) -> str:
    return _ADVICE.get(kind, _REPAIR)


def _fields(report: Report) -> list[tuple[str, str]]:
    kinds = [(str(kind), str(count)) for kind, count in sorted(report.tally.counts.items())]
    return [
        ("read models as of block", _block(report.block_number)),
        ("outbox as of block", _block(report.outbox_block_number)),
        ("events", _count(report, report.events)),
        ("answers to commands", _count(report, report.answers)),
        ("settled soon", _some(report.unsettled)),
        ("direct calls from outside", _some(report.outside)),
        ("declared as outside", _some(report.declared)),
        ("parked events", _some(report.parked)),
        ("stopped early", "" if report.is_complete else "yes: a block cannot be read"),
        *kinds,
        ("took", f"{report.elapsed_s:.1f} s"),
    ]


def _block(number: int) -> str:
    """Show a dash where the comparison ended before it came to that."""
    return "-" if number < 0 else str(number)


def _block_or_none(number: int) -> int | None:
    return None if number < 0 else number


def _count(report: Report, count: int) -> str:
    return str(count) if count or report.is_complete else "-"


def _some(count: int) -> str:
    return str(count) if count else ""


def _wire(report: Report, *, is_repaired: bool) -> JsonObject:
    tally = report.tally
    return {
        "ok": not tally.total,
        "blockNumber": _block_or_none(report.block_number),
        "outboxBlockNumber": _block_or_none(report.outbox_block_number),
        "isComplete": report.is_complete,
        "isRepaired": is_repaired,
        "events": report.events,
        "answers": report.answers,
        "unsettled": report.unsettled,
        "outside": report.outside,
        "declaredOutside": report.declared,
        "parkedEvents": report.parked,
        "differences": tally.total,
        "byKind": {str(kind): count for kind, count in tally.counts.items()},
        "first": None if tally.first is None else _difference(tally.first),
        "firsts": [_difference(found) for found in tally.firsts.values()],
        "durationMs": round(report.elapsed_s * 1_000),
    }


def _difference(found: Difference) -> JsonObject:
    wire = {name: value for name, value in asdict(found).items() if name != "block_number"}
    return {**wire, "blockNumber": found.block_number, "advice": _advice(found.kind)}
