"""The supply: the one place where coins come into being."""

from gx.chaincode.context import Context
from gx.contracts import accounts, keys, system
from gx.domain.amounts import BASE_UNITS_PER_COIN, Amount
from gx.domain.events import CoinsMinted
from gx.domain.identifiers import AccountId
from gx.domain.refusals import RefusalCode, RefusedError
from gx.domain.world_state import SupplyRecord


def minted(context: Context) -> Amount:
    """Return how many base units were ever minted."""
    record = context.state.find(keys.SUPPLY_RECORD, SupplyRecord)
    return Amount(0) if record is None else record.minted


def mint(context: Context, account_id: AccountId, amount: Amount, remark: str) -> CoinsMinted:
    """Create `amount` base units on the account, which is opened if it is absent.

    The supply grows by exactly `amount`; no other account changes.

    Raises:
        RefusedError: SUPPLY_CAP_EXCEEDED; ACCOUNT_NOT_FOUND for an absent account of the
            system's own.
    """
    supply = minted(context) + amount
    cap = system.parameters(context)["supplyCap"]
    if supply > cap:
        raise RefusedError(
            RefusalCode.SUPPLY_CAP_EXCEEDED,
            f"the supply would be {supply} base units, its cap is {cap}",
        )
    accounts.open_wallet_if_absent(context, account_id)
    change = accounts.credit(context, account_id, amount)
    context.state.put(keys.SUPPLY_RECORD, SupplyRecord(minted=Amount(supply)))
    return CoinsMinted(
        timestamp=context.timestamp_s,
        changes=(change,),
        account_id=account_id,
        amount=amount,
        amount_coins=str(amount // BASE_UNITS_PER_COIN),
        remark=remark,
    )
