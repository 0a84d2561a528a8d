"""The books as the API shows them."""

from gx.client.client import GxClient
from gx.operations.load.books import SupplyCheck


class ClientBooks:
    """Reads money and parameters with a client that may read every account."""

    def __init__(self, client: GxClient) -> None:
        self._client = client

    async def supply(self) -> SupplyCheck:
        """Read both sums as of one block."""
        supply = await self._client.supply()
        return SupplyCheck(minted=supply.minted, balances=supply.balances)

    async def parameter(self, name: str) -> int:
        """Read a system parameter."""
        return int((await self._client.system_parameter(id=name)).value)

    async def balance(self, account_id: str) -> int:
        """Read an account's balance."""
        return (await self._client.balance(account_id=account_id)).balance
