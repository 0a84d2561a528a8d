"""From waiting entries to what the ledger is asked to do."""

from collections.abc import Sequence

from gx.domain.batches import BATCH_FUNCTION, BatchItem, encode_items
from gx.domain.catalogue import COMMANDS
from gx.domain.errors import GxError
from gx.ledger.ports import Proposal
from gx.outbox.ports import Entry


class UnknownCommandError(GxError):
    """An entry's command cannot be sent: it lacks an argument."""


class NewerCommandError(UnknownCommandError):
    """An entry's command is not in this release's catalogue: a newer API accepted it."""


def build_batch(entries: Sequence[Entry]) -> Proposal:
    """Let the entries ride in one transaction, in order; all are signed by one role.

    Raises:
        UnknownCommandError: This release cannot send one of them.
    """
    items = []
    for entry in entries:
        function, args = _call_of(entry)
        items.append(
            BatchItem(
                command_id=entry.command_id,
                key=entry.key,
                function=function,
                args=args,
                actor=entry.actor,
            )
        )
    return Proposal(
        function=BATCH_FUNCTION, arguments=(encode_items(tuple(items)),), role=entries[0].role
    )


def build_single(entry: Entry) -> Proposal:
    """Let one command be a transaction of its own, for a chaincode that knows no batches.

    Raises:
        UnknownCommandError: This release cannot send it.
    """
    function, args = _call_of(entry)
    return Proposal(function=function, arguments=args, role=entry.role)


def _call_of(entry: Entry) -> tuple[str, tuple[str, ...]]:
    spec = COMMANDS.get(entry.command_type)
    if spec is None:
        raise NewerCommandError(
            f"this release knows no command {entry.command_type}: it waits for a newer submitter"
        )
    try:
        return spec.function, spec.argument_values(entry.arguments)
    except KeyError as error:
        raise UnknownCommandError(f"{entry.command_type} lacks the argument {error}") from error
