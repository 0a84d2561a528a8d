"""Coins: minting, genesis, transfers, wallets."""

from typing import Final

from gx.domain.arguments import Argument, PositiveAmount, Text
from gx.domain.catalogue.vocabulary import ACCOUNT, ACCOUNT_ID, REMARK, USER_ID, user_in_path
from gx.domain.coherence import require_two_accounts
from gx.domain.commands import Access, Area, CommandSpec, FunctionSpec, QuerySpec
from gx.domain.events import (
    CoinsMinted,
    CoinsTransferred,
    FeesCollected,
    GenesisDistributed,
    TreasuryAllocated,
    WalletFrozen,
    WalletUnfrozen,
)
from gx.domain.refusals import RefusalCode
from gx.domain.roles import ADMINS, PARTNERS, SUPER_ADMINS
from gx.domain.scopes import exclusive, genesis_scopes, mint_scopes, transfer_scopes, wallet_scopes

MINT_COINS: Final = CommandSpec(
    wire_name="MINT_COINS",
    area=Area.TOKENOMICS,
    function="TokenomicsContract:Mint",
    path="/admin/mint",
    access=Access.SUPER_ADMIN,
    roles=SUPER_ADMINS,
    arguments=(
        Argument(
            name="accountId", kind=ACCOUNT_ID, description="Who is credited.", example="alice"
        ),
        Argument(
            name="amount", kind=PositiveAmount(), description="Base units.", example="500000000"
        ),
        Argument(name="remark", kind=REMARK, description="Why the coins exist.", example="Welcome"),
    ),
    scopes=mint_scopes,
    events=(CoinsMinted,),
    read_models=("accounts", "account_entries", "supply"),
    refusals=(
        RefusalCode.ACCOUNT_ID_EMPTY,
        RefusalCode.AMOUNT_NOT_POSITIVE,
        RefusalCode.AMOUNT_OVERFLOW,
        RefusalCode.REMARK_EMPTY,
        RefusalCode.SUPPLY_CAP_EXCEEDED,
        RefusalCode.ACCOUNT_NOT_FOUND,
    ),
    summary="Create coins on an account.",
)

DISTRIBUTE_GENESIS: Final = CommandSpec(
    wire_name="DISTRIBUTE_GENESIS",
    area=Area.TOKENOMICS,
    function="TokenomicsContract:DistributeGenesis",
    path="/genesis",
    access=Access.ADMIN,
    roles=ADMINS,
    arguments=(
        Argument(name="userId", kind=USER_ID, description="Who receives.", example="alice"),
    ),
    scopes=genesis_scopes,
    events=(GenesisDistributed, TreasuryAllocated),
    read_models=("accounts", "account_entries", "users", "countries", "genesis"),
    refusals=(
        RefusalCode.USER_NOT_FOUND,
        RefusalCode.USER_NOT_ACTIVE,
        RefusalCode.GENESIS_ALREADY_DISTRIBUTED,
        RefusalCode.AGE_OUT_OF_RANGE,
        RefusalCode.GENESIS_POOL_EXHAUSTED,
    ),
    summary="Pay a user and the user's country the genesis coins, once.",
)

TRANSFER_TOKENS: Final = CommandSpec(
    wire_name="TRANSFER_TOKENS",
    area=Area.TOKENOMICS,
    function="TokenomicsContract:Transfer",
    path="/transfers",
    access=Access.USER,
    roles=PARTNERS | ADMINS,
    arguments=(
        Argument(name="fromId", kind=ACCOUNT_ID, description="Who pays.", example="alice"),
        Argument(name="toId", kind=ACCOUNT_ID, description="Who receives.", example="bob"),
        Argument(
            name="amount", kind=PositiveAmount(), description="Base units.", example="150000000"
        ),
        Argument(name="remark", kind=REMARK, description="What for.", example="Lunch"),
    ),
    scopes=transfer_scopes,
    events=(CoinsTransferred,),
    read_models=("accounts", "account_entries"),
    refusals=(
        RefusalCode.ACCOUNT_ID_EMPTY,
        RefusalCode.AMOUNT_NOT_POSITIVE,
        RefusalCode.AMOUNT_OVERFLOW,
        RefusalCode.REMARK_EMPTY,
        RefusalCode.ACTOR_MISMATCH,
        RefusalCode.SELF_TRANSFER,
        RefusalCode.ACCOUNT_NOT_FOUND,
        RefusalCode.ACCOUNT_FROZEN,
        RefusalCode.USER_NOT_ACTIVE,
        RefusalCode.INSUFFICIENT_FUNDS,
    ),
    summary="Move coins between two accounts; the sender pays the fee.",
    actor_argument="fromId",
    require_coherent=require_two_accounts,
)

COLLECT_FEES: Final = CommandSpec(
    wire_name="COLLECT_FEES",
    area=Area.TOKENOMICS,
    function="TokenomicsContract:CollectFees",
    path="/admin/fees/collect",
    access=Access.ADMIN,
    roles=ADMINS,
    arguments=(),
    scopes=exclusive,
    events=(FeesCollected,),
    read_models=("accounts",),
    refusals=(),
    summary="Move fee income of up to 5000 transactions into the operations fund's record.",
)

FREEZE_WALLET: Final = CommandSpec(
    wire_name="FREEZE_WALLET",
    area=Area.TOKENOMICS,
    function="TokenomicsContract:FreezeWallet",
    path="/wallets/{userId}/freeze",
    access=Access.SUPER_ADMIN,
    roles=SUPER_ADMINS,
    arguments=(
        user_in_path("Whose wallet."),
        Argument(name="reason", kind=Text(), description="Why.", example="Reported stolen"),
    ),
    scopes=wallet_scopes,
    events=(WalletFrozen,),
    read_models=("accounts",),
    refusals=(RefusalCode.ACCOUNT_NOT_FOUND,),
    summary="Stop a wallet from sending and receiving.",
)

UNFREEZE_WALLET: Final = CommandSpec(
    wire_name="UNFREEZE_WALLET",
    area=Area.TOKENOMICS,
    function="TokenomicsContract:UnfreezeWallet",
    path="/wallets/{userId}/unfreeze",
    access=Access.SUPER_ADMIN,
    roles=SUPER_ADMINS,
    arguments=(user_in_path("Whose wallet."),),
    scopes=wallet_scopes,
    events=(WalletUnfrozen,),
    read_models=("accounts",),
    refusals=(RefusalCode.ACCOUNT_NOT_FOUND,),
    summary="Let a frozen wallet work again.",
)

COMMANDS: Final = (
    MINT_COINS,
    DISTRIBUTE_GENESIS,
    TRANSFER_TOKENS,
    COLLECT_FEES,
    FREEZE_WALLET,
    UNFREEZE_WALLET,
)

FUNCTIONS: Final = (
    FunctionSpec(
        function="TokenomicsContract:GetBalance",
        arguments=(ACCOUNT,),
        summary="The account with its balance in base units.",
    ),
    FunctionSpec(
        function="TokenomicsContract:GetTransactionHistory",
        arguments=(ACCOUNT,),
        summary="The account after each ledger transaction that changed it, newest first.",
    ),
    FunctionSpec(
        function="TokenomicsContract:GetSupplyStatus",
        arguments=(),
        summary="Minted supply, its cap, and what is left of it.",
    ),
    FunctionSpec(
        function="TokenomicsContract:GetPoolStatus",
        arguments=(),
        summary="The system accounts with their balances, and the genesis phase.",
    ),
)

QUERIES: Final = (
    QuerySpec(
        name="balance", area=Area.TOKENOMICS, path="/wallets/{accountId}/balance",
        access=Access.USER, read_models=("accounts",), summary="An account's balance.",
        owner_parameter="accountId", absent=RefusalCode.ACCOUNT_NOT_FOUND,
    ),
    QuerySpec(
        name="account_entries", area=Area.TOKENOMICS,
        path="/wallets/{accountId}/transactions", access=Access.USER,
        read_models=("account_entries",), owner_parameter="accountId",
        absent=RefusalCode.ACCOUNT_NOT_FOUND,
        summary="An account's entries, newest first.", parameters=("limit", "cursor"),
    ),
    QuerySpec(
        name="treasury_balance", area=Area.TOKENOMICS,
        path="/treasury/{countryCode}/balance", access=Access.PUBLIC,
        absent=RefusalCode.ACCOUNT_NOT_FOUND,
        read_models=("accounts",), summary="A country's treasury.",
    ),
    QuerySpec(
        name="supply", area=Area.TOKENOMICS, path="/supply", access=Access.PUBLIC,
        read_models=("supply", "system_parameters"),
        summary="Supply, cap, and the sum of balances.",
    ),
    QuerySpec(
        name="pools", area=Area.TOKENOMICS, path="/pools", access=Access.PUBLIC,
        read_models=("accounts", "genesis"), summary="The system accounts.",
    ),
)  # fmt: skip
