"""What TokenomicsContract answers about accounts, pools and the supply."""

from itertools import islice
from typing import Final

from gx.chaincode.context import Context
from gx.chaincode.functions import evaluate
from gx.chaincode.stub import Modification
from gx.contracts import accounts, genesis, keys, supply, system
from gx.domain.arguments import Arguments
from gx.domain.codec import JsonObject, JsonValue
from gx.domain.economics import GENESIS_PHASES, POOL_ALLOCATIONS
from gx.domain.identifiers import OPERATIONS_FUND, AccountId
from gx.domain.world_state import AccountRecord

HISTORY_MAX: Final = 1_000
"""The newest changes of an account that one answer carries; the read models hold them all."""


@evaluate("TokenomicsContract:GetBalance")
def get_balance(context: Context, arguments: Arguments) -> JsonObject:
    """Return the account; the operations fund's balance includes its fee income.

    Raises:
        RefusedError: ACCOUNT_NOT_FOUND.
    """
    return _describe(context, AccountId(arguments.text("accountId")))


@evaluate("TokenomicsContract:GetTransactionHistory")
def get_transaction_history(context: Context, arguments: Arguments) -> JsonObject:
    """Return the account after each of its newest transactions, newest first.

    The operations fund's history lacks the fee income, which stands under other keys.

    Raises:
        RefusedError: ACCOUNT_NOT_FOUND.
    """
    account_id = AccountId(arguments.text("accountId"))
    accounts.require(context, account_id)
    newest = islice(context.state.history(keys.account(account_id)), HISTORY_MAX)
    entries: list[JsonValue] = [_entry(modification) for modification in newest]
    return {"accountId": account_id, "entries": entries}


@evaluate("TokenomicsContract:GetSupplyStatus")
def get_supply_status(context: Context, _arguments: Arguments) -> JsonObject:
    """Return what was minted, the cap, and what is left of it.

    Raises:
        RefusedError: NOT_BOOTSTRAPPED.
    """
    cap, minted = system.parameters(context)["supplyCap"], supply.minted(context)
    return {"minted": str(minted), "cap": str(cap), "remaining": str(max(0, cap - minted))}


@evaluate("TokenomicsContract:GetPoolStatus")
def get_pool_status(context: Context, _arguments: Arguments) -> JsonObject:
    """Return the system's own accounts, and how far the genesis distribution has come.

    Raises:
        RefusedError: ACCOUNT_NOT_FOUND before bootstrap.
    """
    pools: list[JsonValue] = [
        _describe(context, account_id) for account_id in (*POOL_ALLOCATIONS, OPERATIONS_FUND)
    ]
    distributed = genesis.distributed(context)
    total = sum(phase.users for phase in GENESIS_PHASES)
    return {
        "pools": pools,
        "genesis": {
            "distributed": distributed,
            "remaining": total - distributed,
            "phase": _phase_number(distributed),
        },
    }


def _phase_number(distributed: int) -> int | None:
    """Return the phase of the next user, None once all phases are spent."""
    before = 0
    for phase in GENESIS_PHASES:
        before += phase.users
        if distributed < before:
            return phase.number
    return None


def _describe(context: Context, account_id: AccountId) -> JsonObject:
    account = accounts.require(context, account_id).to_wire()
    balance = accounts.balance_of(context, account_id)
    return {**account, "accountId": account_id, "balance": str(balance)}


def _entry(modification: Modification) -> JsonObject:
    entry: JsonObject = {
        "transactionId": modification.transaction_id,
        "timestamp": modification.timestamp_s,
    }
    if modification.value is not None:
        entry["account"] = AccountRecord.from_text(modification.value).to_wire()
    return entry
