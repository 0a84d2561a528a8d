"""How connections are made, and which of PostgreSQL's failures mean "not now".

Every connection says who it is, gives up on statements and locks after a while, and plans with
the values at hand: a plan kept from when a table was empty costs up to three times as much.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final, TypeAlias

import asyncpg

from gx.database.ports import DatabaseUnavailableError

Connection: TypeAlias = asyncpg.Connection  # its stub defaults the record type

# Classes and codes of https://www.postgresql.org/docs/current/errcodes-appendix.html that say
# nothing about the statement itself: connection lost, transaction rolled back by the server,
# resources short, operator intervention (shutdown, statement timeout), system error, lock timeout.
# 3D: the database is not there, because a restored one is about to take its name.
_NOT_NOW_CLASSES: Final = frozenset({"08", "3D", "40", "53", "57", "58"})
_LOCK_NOT_AVAILABLE: Final = "55P03"
_READ_ONLY: Final = "25006"  # a demoted primary: the new one will answer soon
_NOT_IN_STATE: Final = "55000"
"""Where it ends the connection: the database was closed to new ones, such as for a restore."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionSettings:
    """How a process connects. `application_name` is what pg_stat_activity shows."""

    dsn: str
    application_name: str
    connect_timeout_s: float = 5.0
    statement_timeout_s: float = 30.0
    lock_timeout_s: float = 5.0
    idle_in_transaction_timeout_s: float = 30.0

    def server_settings(self, suffix: str = "") -> dict[str, str]:
        """Return the session's settings; `suffix` tells special connections apart."""
        return {
            "application_name": self.application_name + suffix,
            "statement_timeout": _milliseconds(self.statement_timeout_s),
            "lock_timeout": _milliseconds(self.lock_timeout_s),
            "idle_in_transaction_session_timeout": _milliseconds(
                self.idle_in_transaction_timeout_s
            ),
            "plan_cache_mode": "force_custom_plan",
            "jit": "off",
        }

    @property
    def command_timeout_s(self) -> float:
        """How long to wait for an answer: longer than the server itself gives a statement."""
        return self.statement_timeout_s + self.connect_timeout_s


async def connect(settings: ConnectionSettings, *, suffix: str) -> Connection:
    """Open a connection of its own, outside any pool.

    Raises:
        DatabaseUnavailableError: The server does not answer or does not let us in now.
    """
    with unavailable_as_error():
        return await asyncpg.connect(
            settings.dsn,
            timeout=settings.connect_timeout_s,
            command_timeout=settings.command_timeout_s,
            server_settings=settings.server_settings(suffix),
        )


@contextmanager
def unavailable_as_error() -> Iterator[None]:
    """Turn "not now" failures into DatabaseUnavailableError; let every other one pass."""
    try:
        yield
    except asyncpg.PostgresError as error:
        if not _is_not_now(error):
            raise
        raise DatabaseUnavailableError(f"PostgreSQL cannot now: {error}") from error
    except (OSError, TimeoutError, asyncpg.InternalClientError) as error:
        raise DatabaseUnavailableError(f"PostgreSQL does not answer: {error!r}") from error
    except asyncpg.InterfaceError as error:
        if isinstance(error, ValueError):  # an argument that cannot be encoded is no outage
            raise
        raise DatabaseUnavailableError(f"PostgreSQL's connection is unusable: {error}") from error


def _is_not_now(error: asyncpg.PostgresError) -> bool:
    code = error.sqlstate or ""
    if code == _NOT_IN_STATE:
        return error.severity_en == "FATAL"
    return code[:2] in _NOT_NOW_CLASSES or code in (_LOCK_NOT_AVAILABLE, _READ_ONLY)


def _milliseconds(seconds: float) -> str:
    return str(round(seconds * 1000))
