"""What can be wrong with what a run has left, each as one statement and the rule that it breaks.

`SOMEBODY` stands for the newest command, a transfer by alice to bob; `NOBODY` for no command.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

from tests.chaos.findings import Rule

NOBODY: Final = "00000000-0000-7000-8000-000000000000"
_SOMEBODY: Final = "(SELECT command_id FROM commands ORDER BY command_id DESC LIMIT 1)"


class Edit(NamedTuple):
    """A change that nobody but a bug could make."""

    rule: Rule
    text: str

    @property
    def statement(self) -> str:
        """The change as SQL."""
        return self.text.replace("SOMEBODY", _SOMEBODY).replace("NOBODY", f"'{NOBODY}'")


DATABASE_EDITS: Final[Sequence[Edit]] = (
    Edit(Rule.UNSETTLED, "DELETE FROM command_results WHERE command_id = SOMEBODY"),
    Edit(Rule.UNTOLD, "DELETE FROM command_results"),
    Edit(Rule.UNSTORED, "DELETE FROM commands WHERE command_id = SOMEBODY"),
    Edit(
        Rule.TWO_ENDS,
        "INSERT INTO dead_letters VALUES (SOMEBODY, '{}', 1, 'x', '[]', 0, 'dead', NULL)",
    ),
    Edit(
        Rule.GIVEN_UP,
        "INSERT INTO dead_letters VALUES (NOBODY, '{}', 1, 'x', '[]', 0, 'dead', NULL)",
    ),
    Edit(
        Rule.LEFT_OVER,
        "INSERT INTO outbox (command_id, accepted_at_ms, due_at_ms, scopes)"
        " VALUES (SOMEBODY, 0, 0, '{}')",
    ),
    Edit(
        Rule.LEFT_OVER,
        "INSERT INTO envelopes (transaction_id, role, content, result, seqs, epoch, prepared_at_ms)"
        " VALUES ('t', 'r', '', '', '{1}', 1, 0)",
    ),
    Edit(
        Rule.LEFT_OVER,
        "INSERT INTO leases VALUES ('rebuild:x', 'somebody', 1, now() + interval '1 day')",
    ),
    Edit(
        Rule.NO_BLOCK,
        "INSERT INTO command_results"
        " (command_id, outcome, transaction_id, attempts, settled_at_ms)"
        " VALUES (NOBODY, 'COMMITTED', 'x', 0, 0)",
    ),
    Edit(
        Rule.NO_BLOCK,
        "INSERT INTO command_results (command_id, outcome, code, attempts, settled_at_ms)"
        " VALUES (NOBODY, 'REJECTED', 'ACCOUNT_NOT_FOUND', 0, 0)",
    ),
    Edit(
        Rule.DISCARDED,
        "INSERT INTO command_results (command_id, outcome, attempts, settled_at_ms)"
        " VALUES (NOBODY, 'DISCARDED', 0, 0)",
    ),
    Edit(
        Rule.DISCARDED,
        "INSERT INTO dead_letters VALUES (NOBODY, '{}', 1, 'x', '[]', 0, 'discarded', 0);"
        " INSERT INTO command_results (command_id, outcome, attempts, settled_at_ms)"
        " VALUES (NOBODY, 'DISCARDED', 0, 0)",
    ),
    Edit(
        Rule.SUM,
        "INSERT INTO dead_letters VALUES (NOBODY, '{}', 2, 'x', '[]', 0, 'dead', NULL)",
    ),
    Edit(
        Rule.ALTERED,
        "UPDATE commands SET arguments = jsonb_set(arguments, '{amount}', '\"7\"')"
        " WHERE command_id = SOMEBODY",
    ),
    Edit(Rule.ALTERED, "UPDATE commands SET actor = 'bob' WHERE command_id = SOMEBODY"),
    Edit(Rule.WRONG_KEY, "UPDATE commands SET key_hash = NULL WHERE command_id = SOMEBODY"),
    Edit(
        Rule.WRONG_KEY,
        "UPDATE idempotency_keys SET command_id = NOBODY WHERE command_id = SOMEBODY",
    ),
    Edit(
        Rule.OTHERWISE,
        "UPDATE command_results SET outcome = 'REJECTED' WHERE command_id = SOMEBODY",
    ),
    Edit(Rule.OTHERWISE, "UPDATE command_results SET block_number = 0 WHERE command_id = SOMEBODY"),
    Edit(Rule.ORDER, "UPDATE commands SET accepted_at_ms = 0 WHERE command_id = SOMEBODY"),
    Edit(Rule.BALANCES, "UPDATE accounts SET balance = balance + 1 WHERE account_id = 'bob'"),
    Edit(Rule.NEGATIVE, "UPDATE accounts SET balance = -1 WHERE account_id = 'bob'"),
    Edit(Rule.SUPPLY, "UPDATE supply SET minted = minted + 1"),
    Edit(Rule.SUPPLY, "UPDATE supply SET balances = balances + 1"),
    Edit(Rule.ENTRIES, "DELETE FROM account_entries WHERE account_id = 'bob' AND delta < 0"),
    Edit(Rule.ENTRIES, "UPDATE account_entries SET delta = delta + 1 WHERE account_id = 'bob'"),
    Edit(Rule.ENTRIES, "UPDATE account_entries SET ordinal = ordinal + 9 WHERE account_id = 'bob'"),
    Edit(Rule.STOPPED, "INSERT INTO projection_stops VALUES ('x', 1, 0, 'x', '{}', 'no')"),
    Edit(Rule.STOPPED, "INSERT INTO parked_events VALUES ('x', 1, 0, 'x', '{}', 'r', 'a')"),
    Edit(Rule.STOPPED, "INSERT INTO projection_differences VALUES ('x', 'account_bob', 1)"),
    Edit(Rule.CHECKPOINT, "UPDATE projection_checkpoints SET block_number = block_number - 1"),
    Edit(Rule.CHECKPOINT, "UPDATE projection_checkpoints SET genesis_hash = 'another'"),
    Edit(Rule.CHECKPOINT, "DELETE FROM projection_checkpoints"),
)

FILE_EDITS: Final[Sequence[Edit]] = (
    Edit(Rule.CHAIN, "UPDATE blocks SET content = CAST(content || x'00' AS BLOB) WHERE number = 1"),
    Edit(
        Rule.CHAIN, "UPDATE blocks SET metadata = CAST(metadata || x'00' AS BLOB) WHERE number = 1"
    ),
    Edit(Rule.CHAIN, "UPDATE blocks SET previous_hash = zeroblob(32) WHERE number = 1"),
    Edit(Rule.CHAIN, "UPDATE blocks SET hash = zeroblob(32) WHERE number = 1"),
    Edit(Rule.CHAIN, "DELETE FROM blocks WHERE number = 1"),
    Edit(Rule.CHAIN, "DELETE FROM blocks WHERE number = (SELECT max(number) FROM blocks)"),
    Edit(Rule.CHAIN, "UPDATE chain SET tip_hash = zeroblob(32)"),
    Edit(Rule.LEDGER_STATE, "UPDATE state SET value = '{}' WHERE key = 'account_bob'"),
    Edit(Rule.LEDGER_STATE, "DELETE FROM state WHERE key = 'account_bob'"),
)
