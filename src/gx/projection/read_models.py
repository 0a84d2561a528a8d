"""The read models, each declared once: its name, its key, its columns with types and defaults.

The tables in PostgreSQL are these declarations (`gx.projection.postgres.tables` writes them down,
a test compares them with the migrations). Points in time are seconds since the epoch as the
ledger says them, amounts are base units.
"""

from enum import StrEnum
from typing import Final

from gx.domain.event_form import AccountStatus
from gx.domain.world_state import AccountKind
from gx.projection.identity_models import RELATIONSHIPS
from gx.projection.loan_models import LOANS, PROPOSALS
from gx.projection.organization_models import ORGANIZATION_MODELS
from gx.projection.read_model import (
    ColumnType,
    ReadModel,
    amount_column,
    count_column,
    flag_column,
    key_column,
    small_column,
    text_column,
    time_column,
)

_SINGLETON: Final = (key_column("singleton", ColumnType.BOOLEAN),)
SINGLETON_KEY: Final = (True,)
"""The key of a model that has one row."""

SYSTEM_STATUS: Final = ReadModel(
    name="system_status",
    key=_SINGLETON,
    columns=(
        flag_column("is_bootstrapped"),
        time_column("bootstrapped_at"),
        flag_column("is_paused"),
        text_column("pause_reason", None),
        time_column("paused_at"),
        time_column("resumed_at"),
    ),
)
SYSTEM_PARAMETERS: Final = ReadModel(
    name="system_parameters",
    key=(key_column("id"),),
    columns=(text_column("value"), time_column("updated_at")),
)
ADMINS: Final = ReadModel(
    name="admins", key=(key_column("admin_id"),), columns=(time_column("appointed_at"),)
)
COUNTRIES: Final = ReadModel(
    name="countries",
    key=(key_column("country_code"),),
    columns=(
        text_column("percentage", "0"),
        text_column("treasury_id"),
        time_column("opened_at"),
        count_column("users"),
        count_column("genesis_users"),
        amount_column("genesis_user_amount"),
        amount_column("genesis_treasury_amount"),
    ),
    fillfactor=50,
)
USERS: Final = ReadModel(
    name="users",
    key=(key_column("user_id"),),
    columns=(
        text_column("nationality"),
        small_column("age"),
        text_column("status", AccountStatus.ACTIVE.value),
        text_column("lock_reason", None),
        small_column("trust_score"),
        time_column("created_at"),
        time_column("genesis_at"),
        small_column("genesis_phase"),
        amount_column("genesis_amount"),
    ),
    fillfactor=80,
)
ACCOUNTS: Final = ReadModel(
    name="accounts",
    key=(key_column("account_id"),),
    columns=(
        amount_column("balance"),
        text_column("kind", AccountKind.WALLET.value),
        text_column("status", AccountStatus.ACTIVE.value),
        flag_column("is_frozen"),
        text_column("freeze_reason", None),
        text_column("country", None),
        time_column("tax_timer_started_at"),
    ),
    fillfactor=50,
)
ACCOUNT_ENTRIES: Final = ReadModel(
    name="account_entries",
    key=(
        key_column("account_id"),
        key_column("block_number", ColumnType.BIGINT),
        key_column("position", ColumnType.INTEGER),
        key_column("ordinal", ColumnType.INTEGER),
    ),
    columns=(
        text_column("kind"),
        amount_column("delta"),
        text_column("counterparty", None),
        text_column("remark", None),
        count_column("recorded_at"),
        text_column("transaction_id"),
        text_column("command_id", None),
    ),
    is_append_only=True,
)
SUPPLY: Final = ReadModel(
    name="supply",
    key=_SINGLETON,
    columns=(amount_column("minted"), amount_column("balances")),
    fillfactor=50,
)
GENESIS: Final = ReadModel(
    name="genesis",
    key=_SINGLETON,
    columns=(
        count_column("distributed"),
        small_column("phase"),
        amount_column("user_amount"),
        amount_column("treasury_amount"),
    ),
    fillfactor=50,
)

READ_MODELS: Final[dict[str, ReadModel]] = {
    model.name: model
    for model in (
        SYSTEM_STATUS,
        SYSTEM_PARAMETERS,
        ADMINS,
        COUNTRIES,
        USERS,
        ACCOUNTS,
        ACCOUNT_ENTRIES,
        SUPPLY,
        GENESIS,
        LOANS,
        PROPOSALS,
        RELATIONSHIPS,
        *ORGANIZATION_MODELS,
    )
}
"""Every read model by name: the only list of them."""


class EntryKind(StrEnum):
    """Why an account's balance changed."""

    MINT = "mint"
    TRANSFER = "transfer"
    FEE = "fee"
    GENESIS = "genesis"
    TREASURY = "treasury"
    LOAN = "loan"
    REPAYMENT = "repayment"
    TAX = "tax"
    MULTISIG = "multisig"
    OTHER = "other"
