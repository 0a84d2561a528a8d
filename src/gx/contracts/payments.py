"""Payments between accounts: the questions that each asks, the fee, and the coins that move."""

from dataclasses import dataclass

from gx.chaincode.context import Context
from gx.contracts import accounts, holders, system
from gx.domain.amounts import Amount
from gx.domain.charges import Fee, fee_of
from gx.domain.events import AccountChange, AccountStatus
from gx.domain.identifiers import AccountId
from gx.domain.refusals import RefusalCode, RefusedError


@dataclass(frozen=True, slots=True, kw_only=True)
class Payment:
    """What one payment changed, and what the sender paid on top."""

    changes: tuple[AccountChange, ...]
    charged: Fee


def pay(context: Context, sender_id: AccountId, recipient_id: AccountId, amount: Amount) -> Payment:
    """Move coins; the sender pays the fee on top. Whether the sender wants to is not asked.

    Raises:
        RefusedError: SELF_TRANSFER, ACCOUNT_NOT_FOUND, ACCOUNT_FROZEN, USER_NOT_ACTIVE (the
            sender is locked, whoever it is) or INSUFFICIENT_FUNDS.
    """
    if sender_id == recipient_id:
        raise RefusedError(RefusalCode.SELF_TRANSFER, f"{sender_id} is sender and recipient")
    sender = accounts.require(context, sender_id)
    recipient = accounts.require(context, recipient_id)
    holders.require_not_frozen(sender_id, sender)
    holders.require_not_frozen(recipient_id, recipient)
    if sender.status is not AccountStatus.ACTIVE:
        raise RefusedError(RefusalCode.USER_NOT_ACTIVE, f"{sender_id} is {sender.status}")

    charged = fee_of(system.parameters(context), sender, recipient, amount)
    changes = [
        accounts.debit(context, sender_id, amount + charged.fee),
        accounts.credit(context, recipient_id, amount),
    ]
    if charged.fee:
        changes.append(accounts.collect_fee(context, charged.fee))
    return Payment(changes=tuple(changes), charged=charged)
