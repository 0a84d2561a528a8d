"""The read models, each declared once: its name, its key, its columns with types and defaults.

The tables in PostgreSQL are these declarations (`gx.projection.postgres.tables` writes them down,
a test compares them with the migrations). Points in time are seconds since the epoch as the
ledger says them, amounts are base units.
"""

from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Final

from gx.domain.codec import DecodeError
from gx.domain.events import AccountStatus
from gx.domain.world_state import AccountKind
from gx.projection.changes import Value

_INTEGER_MAX: Final = 2**31 - 1
_BIGINT_MAX: Final = 2**63 - 1


class ColumnType(StrEnum):
    """A column's type, in PostgreSQL's words."""

    TEXT = "text"
    INTEGER = "integer"
    BIGINT = "bigint"
    BOOLEAN = "boolean"


class UnstorableValueError(DecodeError):
    """A value does not fit its column, so the event that carries it cannot be projected."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column. `default` is what a row starts with; None means NULL.

    A key column and a column of an append-only model are always given, so they start with nothing.
    """

    name: str
    type: ColumnType
    default: Value = None
    is_nullable: bool = False
    is_amount: bool = False
    """Base units: a decimal string on every wire."""

    def require(self, value: Value) -> None:
        """Check that the database will take `value` here.

        Raises:
            UnstorableValueError: wrong type, out of range, or text that is no valid UTF-8.
        """
        if value is None:
            is_storable = self.is_nullable
        elif isinstance(value, bool):
            is_storable = self.type is ColumnType.BOOLEAN
        elif isinstance(value, int):
            is_storable = -self._number_max - 1 <= value <= self._number_max
        else:
            is_storable = self.type is ColumnType.TEXT and _is_storable_text(value)
        if not is_storable:
            raise UnstorableValueError(
                f"column {self.name} ({self.type}) cannot hold {str(value)[:60]!r}"
            )

    def require_delta(self, delta: int) -> None:
        """Check that `delta` can be added to this column.

        Raises:
            UnstorableValueError: the column may be NULL or holds no numbers, or `delta` is too big.
        """
        if self.is_nullable or self._number_max < 0:
            raise UnstorableValueError(f"column {self.name} ({self.type}) cannot be added to")
        self.require(delta)

    @property
    def _number_max(self) -> int:
        if self.type is ColumnType.BIGINT:
            return _BIGINT_MAX
        return _INTEGER_MAX if self.type is ColumnType.INTEGER else -1


def _is_storable_text(text: str) -> bool:
    if text.isascii():
        return "\0" not in text
    return "\0" not in text and not any("\ud800" <= letter <= "\udfff" for letter in text)


@dataclass(frozen=True, kw_only=True)
class ReadModel:
    """One table of the read side.

    `fillfactor` below 100 leaves room on a page for the next version of a row, so that an update
    touches no index.
    """

    name: str
    key: tuple[Column, ...]
    columns: tuple[Column, ...]
    is_append_only: bool = False
    fillfactor: int = 100

    @cached_property
    def by_name(self) -> dict[str, Column]:
        """All columns by name, the key's too."""
        return {column.name: column for column in self.all_columns}

    @cached_property
    def all_columns(self) -> tuple[Column, ...]:
        """The key's columns, then the others."""
        return self.key + self.columns

    @cached_property
    def key_names(self) -> tuple[str, ...]:
        """The names of the key's columns."""
        return tuple(column.name for column in self.key)

    @cached_property
    def column_names(self) -> tuple[str, ...]:
        """The names of all columns, in the table's order."""
        return tuple(column.name for column in self.all_columns)

    @cached_property
    def defaults(self) -> dict[str, Value]:
        """What the columns of a new row hold before anything is put or added."""
        return {column.name: column.default for column in self.columns}


def _text(name: str, default: str | None = "") -> Column:
    return Column(name=name, type=ColumnType.TEXT, default=default, is_nullable=default is None)


def _amount(name: str) -> Column:
    return Column(name=name, type=ColumnType.BIGINT, default=0, is_amount=True)


def _count(name: str) -> Column:
    return Column(name=name, type=ColumnType.BIGINT, default=0)


def _small(name: str) -> Column:
    return Column(name=name, type=ColumnType.INTEGER, default=0)


def _time(name: str) -> Column:
    return Column(name=name, type=ColumnType.BIGINT, is_nullable=True)


def _flag(name: str) -> Column:
    return Column(name=name, type=ColumnType.BOOLEAN, default=False)


def _key(name: str, kind: ColumnType = ColumnType.TEXT) -> Column:
    return Column(name=name, type=kind)


_SINGLETON: Final = (_key("singleton", ColumnType.BOOLEAN),)
SINGLETON_KEY: Final = (True,)
"""The key of a model that has one row."""

SYSTEM_STATUS: Final = ReadModel(
    name="system_status",
    key=_SINGLETON,
    columns=(
        _flag("is_bootstrapped"),
        _time("bootstrapped_at"),
        _flag("is_paused"),
        _text("pause_reason", None),
        _time("paused_at"),
        _time("resumed_at"),
    ),
)
SYSTEM_PARAMETERS: Final = ReadModel(
    name="system_parameters", key=(_key("id"),), columns=(_text("value"), _time("updated_at"))
)
ADMINS: Final = ReadModel(name="admins", key=(_key("admin_id"),), columns=(_time("appointed_at"),))
COUNTRIES: Final = ReadModel(
    name="countries",
    key=(_key("country_code"),),
    columns=(
        _text("percentage", "0"),
        _text("treasury_id"),
        _time("opened_at"),
        _count("users"),
        _count("genesis_users"),
        _amount("genesis_user_amount"),
        _amount("genesis_treasury_amount"),
    ),
    fillfactor=50,
)
USERS: Final = ReadModel(
    name="users",
    key=(_key("user_id"),),
    columns=(
        _text("nationality"),
        _small("age"),
        _text("status", AccountStatus.ACTIVE.value),
        _text("lock_reason", None),
        _small("trust_score"),
        _time("created_at"),
        _time("genesis_at"),
        _small("genesis_phase"),
        _amount("genesis_amount"),
    ),
    fillfactor=80,
)
ACCOUNTS: Final = ReadModel(
    name="accounts",
    key=(_key("account_id"),),
    columns=(
        _amount("balance"),
        _text("kind", AccountKind.WALLET.value),
        _text("status", AccountStatus.ACTIVE.value),
        _flag("is_frozen"),
        _text("freeze_reason", None),
        _text("country", None),
        _time("tax_timer_started_at"),
    ),
    fillfactor=50,
)
ACCOUNT_ENTRIES: Final = ReadModel(
    name="account_entries",
    key=(
        _key("account_id"),
        _key("block_number", ColumnType.BIGINT),
        _key("position", ColumnType.INTEGER),
        _key("ordinal", ColumnType.INTEGER),
    ),
    columns=(
        _text("kind"),
        _amount("delta"),
        _text("counterparty", None),
        _text("remark", None),
        _count("recorded_at"),
        _text("transaction_id"),
        _text("command_id", None),
    ),
    is_append_only=True,
)
SUPPLY: Final = ReadModel(
    name="supply",
    key=_SINGLETON,
    columns=(_amount("minted"), _amount("balances")),
    fillfactor=50,
)
GENESIS: Final = ReadModel(
    name="genesis",
    key=_SINGLETON,
    columns=(
        _count("distributed"),
        _small("phase"),
        _amount("user_amount"),
        _amount("treasury_amount"),
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
    OTHER = "other"
