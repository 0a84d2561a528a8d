"""TokenomicsContract: coins come into being and move."""

from collections.abc import Mapping

from gx.chaincode.context import Context, Effect
from gx.chaincode.functions import submit
from gx.contracts import accounts, genesis, keys, payments, supply, system, users
from gx.contracts.users import UserRecord
from gx.domain.amounts import Amount, Delta
from gx.domain.arguments import Arguments
from gx.domain.catalogue import (
    COLLECT_FEES,
    DISTRIBUTE_GENESIS,
    FREEZE_WALLET,
    MINT_COINS,
    TRANSFER_TOKENS,
    UNFREEZE_WALLET,
)
from gx.domain.codec import JsonObject
from gx.domain.economics import (
    GenesisPhase,
    genesis_phase,
)
from gx.domain.events import (
    AccountChange,
    AccountStatus,
    CoinsTransferred,
    FeesCollected,
    GenesisDistributed,
    TreasuryAllocated,
    WalletFrozen,
    WalletUnfrozen,
)
from gx.domain.identifiers import (
    GOVERNMENT_GENESIS_POOL,
    OPERATIONS_FUND,
    USER_GENESIS_POOL,
    AccountId,
    UserId,
    treasury_of,
)
from gx.domain.refusals import RefusalCode, RefusedError
from gx.domain.world_state import AccountKind


def _keys_of_mint(arguments: Mapping[str, str], _actor: str) -> tuple[str, ...]:
    return keys.account(AccountId(arguments["accountId"])), keys.SUPPLY_RECORD


def _keys_of_transfer(arguments: Mapping[str, str], _actor: str) -> tuple[str, ...]:
    return (
        keys.account(AccountId(arguments["fromId"])),
        keys.account(AccountId(arguments["toId"])),
    )


def _keys_of_genesis(arguments: Mapping[str, str], _actor: str) -> tuple[str, ...]:
    user_id = arguments["userId"]
    return (
        keys.user(UserId(user_id)),
        keys.account(AccountId(user_id)),
        keys.account(USER_GENESIS_POOL),
        keys.account(GOVERNMENT_GENESIS_POOL),
        keys.GENESIS_COUNTER,
    )


def _keys_of_wallet(arguments: Mapping[str, str], _actor: str) -> tuple[str, ...]:
    return (keys.account(AccountId(arguments["userId"])),)


@submit(MINT_COINS, keys=_keys_of_mint)
def mint(context: Context, arguments: Arguments) -> Effect:
    """Create coins on an account, which is opened if it is absent.

    The supply grows by exactly the amount; no other account changes.

    Raises:
        RefusedError: SUPPLY_CAP_EXCEEDED; ACCOUNT_NOT_FOUND for an absent account of the
            system's own.
    """
    minted = supply.mint(
        context,
        AccountId(arguments.text("accountId")),
        arguments.amount("amount"),
        arguments.text("remark"),
    )
    return Effect(events=(minted,))


@submit(TRANSFER_TOKENS, keys=_keys_of_transfer)
def transfer(context: Context, arguments: Arguments) -> Effect:
    """Move coins; the sender pays the fee on top.

    Raises:
        RefusedError: SELF_TRANSFER, ACCOUNT_NOT_FOUND, ACCOUNT_FROZEN, USER_NOT_ACTIVE (the
            sender is locked, be it a user or a treasury) or INSUFFICIENT_FUNDS; ACTOR_MISMATCH
            for an organisation, for which nobody pays alone.
    """
    sender_id, recipient_id = AccountId(arguments.text("fromId")), AccountId(arguments.text("toId"))
    amount = arguments.amount("amount")
    _require_one_holder(context, sender_id)
    paid = payments.pay(context, sender_id, recipient_id, amount)
    event = CoinsTransferred(
        timestamp=context.timestamp_s,
        changes=paid.changes,
        from_id=sender_id,
        to_id=recipient_id,
        amount=amount,
        fee=paid.charged.fee,
        fee_rate_bps=paid.charged.fee_rate_bps,
        remark=arguments.text("remark"),
    )
    return Effect(events=(event,), result={"fee": str(paid.charged.fee)})


def _require_one_holder(context: Context, sender_id: AccountId) -> None:
    """Refuse an organisation's account: a token with its name must not pass by its approvers."""
    sender = accounts.find(context, sender_id)
    if sender is not None and sender.kind is AccountKind.ORGANIZATION:
        raise RefusedError(
            RefusalCode.ACTOR_MISMATCH,
            f"{sender_id} is an organisation: it pays by InitiateMultiSigTx alone",
        )


@submit(COLLECT_FEES)
def collect_fees(context: Context, _arguments: Arguments) -> Effect:
    """Move fee income into the operations fund's record, a bounded part of it at a time.

    No balance changes: the fund's is the sum of record and fee keys, before and after. Whoever
    reads `hasMore` in the answer sends the command again.
    """
    gathered = accounts.gather_fees(context)
    event = FeesCollected(
        timestamp=context.timestamp_s,
        changes=(AccountChange(account_id=OPERATIONS_FUND, delta=Delta(0)),),
        amount=gathered.amount,
        keys=gathered.keys,
        has_more=gathered.has_more,
    )
    result: JsonObject = {
        "amount": str(gathered.amount),
        "keys": gathered.keys,
        "hasMore": gathered.has_more,
    }
    return Effect(events=(event,), result=result)


@submit(DISTRIBUTE_GENESIS, keys=_keys_of_genesis)
def distribute_genesis(context: Context, arguments: Arguments) -> Effect:
    """Pay a user and the user's country the coins of the current phase, once.

    All or nothing: a pool that is too short refuses both payments.

    Raises:
        RefusedError: USER_NOT_FOUND, USER_NOT_ACTIVE, GENESIS_ALREADY_DISTRIBUTED,
            AGE_OUT_OF_RANGE or GENESIS_POOL_EXHAUSTED. Nobody is paid, counted or marked.
    """
    user_id = UserId(arguments.text("userId"))
    user = users.require(context, user_id)
    _require_eligible(context, user_id, user)
    phase = genesis_phase(genesis.distributed(context))

    distributed = _pay_user(context, user_id, user, phase)
    allocated = _pay_treasury(context, user, phase)
    users.mark_genesis(context, user_id, phase.number)
    genesis.count(context, user.nationality, phase)
    return Effect(
        events=(distributed, allocated),
        result={"amount": str(phase.user_amount), "phase": phase.number},
    )


def _require_eligible(context: Context, user_id: UserId, user: UserRecord) -> None:
    if user.status is not AccountStatus.ACTIVE:
        raise RefusedError(RefusalCode.USER_NOT_ACTIVE, f"{user_id} is {user.status}")
    if user.genesis_phase is not None:
        raise RefusedError(
            RefusalCode.GENESIS_ALREADY_DISTRIBUTED,
            f"{user_id} had the coins of phase {user.genesis_phase}",
        )
    parameters = system.parameters(context)
    youngest, oldest = parameters["genesisAgeMin"], parameters["genesisAgeMax"]
    if not youngest <= user.age <= oldest:
        raise RefusedError(
            RefusalCode.AGE_OUT_OF_RANGE,
            f"{user_id} is {user.age}; the ages {youngest} to {oldest} receive coins",
        )


def _pay_user(
    context: Context, user_id: UserId, user: UserRecord, phase: GenesisPhase
) -> GenesisDistributed:
    changes = _pay(context, USER_GENESIS_POOL, AccountId(user_id), phase.user_amount)
    return GenesisDistributed(
        timestamp=context.timestamp_s,
        changes=changes,
        user_id=user_id,
        amount=phase.user_amount,
        phase=phase.number,
        age=user.age,
        eligible=True,
        nationality=user.nationality,
        pool_source=USER_GENESIS_POOL,
    )


def _pay_treasury(context: Context, user: UserRecord, phase: GenesisPhase) -> TreasuryAllocated:
    treasury_id = treasury_of(user.nationality)
    changes = _pay(context, GOVERNMENT_GENESIS_POOL, treasury_id, phase.treasury_amount)
    return TreasuryAllocated(
        timestamp=context.timestamp_s,
        changes=changes,
        treasury_id=treasury_id,
        amount=phase.treasury_amount,
        phase=phase.number,
        nationality=user.nationality,
        pool_source=GOVERNMENT_GENESIS_POOL,
    )


def _pay(
    context: Context, pool_id: AccountId, account_id: AccountId, amount: Amount
) -> tuple[AccountChange, ...]:
    left = accounts.require(context, pool_id).balance
    if left < amount:
        raise RefusedError(
            RefusalCode.GENESIS_POOL_EXHAUSTED,
            f"{pool_id} holds {left} base units, {amount} are due",
        )
    return (
        accounts.debit(context, pool_id, amount),
        accounts.credit(context, account_id, amount),
    )


@submit(FREEZE_WALLET, keys=_keys_of_wallet)
def freeze_wallet(context: Context, arguments: Arguments) -> Effect:
    """Stop a wallet from taking part in transfers; freezing a frozen one changes nothing.

    Raises:
        RefusedError: ACCOUNT_NOT_FOUND.
    """
    user_id = arguments.text("userId")
    accounts.set_frozen(context, AccountId(user_id), is_frozen=True)
    event = WalletFrozen(
        timestamp=context.timestamp_s, user_id=UserId(user_id), reason=arguments.text("reason")
    )
    return Effect(events=(event,))


@submit(UNFREEZE_WALLET, keys=_keys_of_wallet)
def unfreeze_wallet(context: Context, arguments: Arguments) -> Effect:
    """Let a wallet take part in transfers; unfreezing one that is not frozen changes nothing.

    Raises:
        RefusedError: ACCOUNT_NOT_FOUND.
    """
    user_id = arguments.text("userId")
    accounts.set_frozen(context, AccountId(user_id), is_frozen=False)
    return Effect(events=(WalletUnfrozen(timestamp=context.timestamp_s, user_id=UserId(user_id)),))
