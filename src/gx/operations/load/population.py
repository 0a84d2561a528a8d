"""Who takes part in a load, and what each request asks for: all of it known beforehand.

Wallets and users bear the run's name, so that runs never meet. Senders take turns and are
funded for all that they will send: a transfer that the ledger refuses is a fault. Because
nobody else touches these wallets, their final balances can be told in advance.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from gx.domain.amounts import SUPPLY_CAP, Amount, coins
from gx.domain.codec import JsonObject
from gx.domain.economics import fee_rate_bps, share_of
from gx.operations.load.mix import Kind, Mix

WALLETS_MAX: Final = 200
_NATIONALITIES: Final = ("US", "CA", "GB")
_TRANSFER_SIZES: Final = 5
_FEE_MAX_BPS: Final = 1_000  # the upper bound of every fee parameter
_MINTED: Final = coins(1)
_REMARK: Final = "gx load"


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One command to be sent: its wire name, its body, and for whom it acts."""

    kind: Kind
    command_type: str
    body: JsonObject
    acts_for: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Population:
    """The wallets and users of one run of `total` requests."""

    run: str
    mix: Mix
    total: int

    @property
    def wallet_count(self) -> int:
        """Return how many wallets share the transfers and mints."""
        busy = sum(
            self.mix.count_of(kind, self.total)
            for kind in (Kind.TRANSFER, Kind.MINT, Kind.OVERDRAW)
        )
        return max(2, min(WALLETS_MAX, busy))

    @property
    def funding(self) -> Amount:
        """Return what each wallet starts with: all that it will send, and the highest fees."""
        turns = -(-self.mix.count_of(Kind.TRANSFER, self.total) // self.wallet_count)
        largest = coins(_TRANSFER_SIZES)
        return Amount((turns + 1) * (largest + share_of(largest, _FEE_MAX_BPS)))

    def wallet(self, index: int) -> str:
        """Name a wallet."""
        return f"load-{self.run}-w{index}"

    def wallets(self) -> Iterator[str]:
        """Name every wallet."""
        return (self.wallet(index) for index in range(self.wallet_count))

    def preparation(self) -> Iterator[Call]:
        """List what must be on the ledger before the clock starts."""
        for name in self.wallets():
            yield self._mint(name, self.funding)
        for index in range(self.mix.count_of(Kind.GENESIS, self.total)):
            yield self._create_user(f"load-{self.run}-g{index}")

    def calls(self) -> Iterator[Call]:
        """List the load's requests in the order in which they are due."""
        turns = dict.fromkeys(Kind, 0)
        for index in range(self.total):
            kind = self.mix.kind_at(index)
            yield self._call(kind, turns[kind])
            turns[kind] += 1

    def expected_balances(self, parameters: Mapping[str, int]) -> Mapping[str, int]:
        """Tell each wallet's balance when every call has taken effect exactly once.

        `parameters` are the system's fee parameters, which must not change meanwhile.
        """
        balances = dict.fromkeys(self.wallets(), int(self.funding))
        for turn in range(self.mix.count_of(Kind.TRANSFER, self.total)):
            sender, receiver, amount = self._transfer_at(turn)
            rate = fee_rate_bps(parameters, amount, is_cross_border=False)
            balances[sender] -= amount + share_of(amount, rate)
            balances[receiver] += amount
        for turn in range(self.mix.count_of(Kind.MINT, self.total)):
            balances[self.wallet(turn % self.wallet_count)] += _MINTED
        return balances

    def minted(self) -> int:
        """Tell how much the run adds to the supply by minting, in base units."""
        mints = self.mix.count_of(Kind.MINT, self.total)
        return self.wallet_count * self.funding + mints * _MINTED

    def _call(self, kind: Kind, turn: int) -> Call:
        match kind:
            case Kind.TRANSFER:
                return self._transfer(kind, *self._transfer_at(turn))
            case Kind.OVERDRAW:
                sender, receiver, _ = self._transfer_at(turn)
                return self._transfer(kind, sender, receiver, SUPPLY_CAP)
            case Kind.MINT:
                return self._mint(self.wallet(turn % self.wallet_count), _MINTED)
            case Kind.CREATE_USER:
                return self._create_user(f"load-{self.run}-u{turn}")
            case Kind.GENESIS:
                user = f"load-{self.run}-g{turn}"
                return Call(kind=kind, command_type="DISTRIBUTE_GENESIS", body={"userId": user})

    def _transfer_at(self, turn: int) -> tuple[str, str, Amount]:
        wallets = self.wallet_count
        sender = turn % wallets
        distance = 1 + (turn // wallets) % (wallets - 1)  # never 0: no transfer to oneself
        receiver = (sender + distance) % wallets
        return self.wallet(sender), self.wallet(receiver), coins(1 + turn % _TRANSFER_SIZES)

    def _transfer(self, kind: Kind, sender: str, receiver: str, amount: Amount) -> Call:
        return Call(
            kind=kind,
            command_type="TRANSFER_TOKENS",
            body={"fromId": sender, "toId": receiver, "amount": str(amount), "remark": _REMARK},
            acts_for=sender,
        )

    def _mint(self, wallet: str, amount: Amount) -> Call:
        body: JsonObject = {"accountId": wallet, "amount": str(amount), "remark": _REMARK}
        return Call(kind=Kind.MINT, command_type="MINT_COINS", body=body)

    def _create_user(self, user: str) -> Call:
        digest = sha256(user.encode())
        nationality = _NATIONALITIES[digest.digest()[0] % len(_NATIONALITIES)]
        return Call(
            kind=Kind.CREATE_USER,
            command_type="CREATE_USER",
            body={
                "userId": user,
                "biometricHash": digest.hexdigest(),
                "nationality": nationality,
                "age": 34,
            },
        )


FEE_PARAMETERS: Final = ("feeFreeBelow", "feeTierLimit", "feeLowerBps", "feeUpperBps")
"""What `expected_balances` needs to know."""
