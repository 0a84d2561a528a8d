"""The traffic: random transfers between ten thousand accounts, and what opens those accounts."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from gx.domain.catalogue import COMMANDS
from gx.domain.roles import LedgerRole
from gx.outbox.ports import NewCommand

ACCOUNTS: Final = 10_000
OPENING_BALANCE: Final = "100000000000"
AMOUNT: Final = "1000"
REMARK: Final = "a payment for a lunch that two people had together"
SUBJECT: Final = "benchmark"

PAYLOAD: Final = (
    b'{"fromId":"bench-00001","toId":"bench-00002","amount":"1000",'
    b'"remark":"a payment for a lunch that two people had together"}'
)
"""What a peer's job carries: a transfer's arguments as JSON."""


def account(number: int) -> str:
    """Name an account."""
    return f"bench-{number:05d}"


@dataclass(frozen=True, slots=True)
class Transfer:
    """Who pays whom, under which idempotency key."""

    sender: str
    receiver: str
    key: str


def random_transfers(seed: int, accounts: int = ACCOUNTS) -> Iterator[Transfer]:
    """Make transfers without end; the keys of two seeds never meet."""
    dice = random.Random(seed)  # noqa: S311 (a benchmark's dice)
    number = 0
    while True:
        sender = dice.randrange(accounts)
        receiver = (sender + dice.randrange(1, accounts)) % accounts
        yield Transfer(account(sender), account(receiver), f"{seed}-{number}")
        number += 1


def transfer_command(transfer: Transfer) -> NewCommand:
    """Return what the edge makes of a transfer's request."""
    arguments = {
        "fromId": transfer.sender,
        "toId": transfer.receiver,
        "amount": AMOUNT,
        "remark": REMARK,
    }
    key_hash = sha256(transfer.key.encode()).hexdigest()
    return _command(
        "TRANSFER_TOKENS", arguments, transfer.sender, LedgerRole.PARTNER_API, key_hash=key_hash
    )


def preparation(accounts: int = ACCOUNTS) -> Iterator[NewCommand]:
    """List what a new system needs: its pools, then the accounts with their coins."""
    yield _command("BOOTSTRAP_SYSTEM", {}, SUBJECT, LedgerRole.SUPER_ADMIN)
    for number in range(accounts):
        arguments = {
            "accountId": account(number),
            "amount": OPENING_BALANCE,
            "remark": "opening balance",
        }
        yield _command("MINT_COINS", arguments, SUBJECT, LedgerRole.SUPER_ADMIN)


def _command(
    wire_name: str,
    arguments: dict[str, str],
    actor: str,
    role: LedgerRole,
    *,
    key_hash: str | None = None,
) -> NewCommand:
    return NewCommand(
        command_type=wire_name,
        arguments=arguments,
        actor=actor,
        subject=SUBJECT,
        role=role,
        scopes=COMMANDS[wire_name].scopes(arguments, actor),
        key_hash=key_hash,
        fingerprint=key_hash or "",
    )
