"""A probe that fails restarts a process: it must not for what a restart cannot mend."""

from pydantic import SecretStr

from gx.runtime.processes import projector, submitter
from gx.runtime.processes.backend import pool_settings
from gx.runtime.settings import DatabaseSettings


def test_waiting_for_a_frozen_database_is_no_reason_to_be_restarted() -> None:
    """One statement may hold a turn of the loop up until the pool gives it up, and then some."""
    database = DatabaseSettings(dsn=SecretStr("postgresql://nobody@127.0.0.1/nothing"))
    longest_s = pool_settings(database, name="test").command_timeout_s

    assert longest_s + 10 < submitter.HEARTBEAT_S
    assert longest_s + 10 < projector.HEARTBEAT_S
