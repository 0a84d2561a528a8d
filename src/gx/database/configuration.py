"""The configuration files of the embedded server. Every number has its reason beside it."""

from pathlib import Path
from typing import Final

SOCKET_PATH_BYTES_MAX: Final = 107  # sun_path is 108 bytes with its final zero (unix(7))

# A small machine that also runs eight other processes. `synchronous_commit=on`: with it
# off, a killed server loses commands that were acknowledged. No JIT: the statements are
# short. A large max_wal_size keeps checkpoints, and their full-page images, rare.
# Autovacuum looks every 10 s: in the default minute a busy outbox gathers a hundred thousand
# dead rows, and its table grows past its caches.
TUNING: Final = """\
max_connections = 200
shared_buffers = 256MB
effective_cache_size = 1GB
work_mem = 8MB
maintenance_work_mem = 128MB
min_wal_size = 256MB
max_wal_size = 4GB
wal_compression = on
checkpoint_timeout = 15min
autovacuum_naptime = 10s
random_page_cost = 1.1
jit = off
password_encryption = scram-sha-256
idle_in_transaction_session_timeout = 10min
log_min_duration_statement = 1s
log_checkpoints = off
log_line_prefix = '%m [%p] %q%a '
log_timezone = 'UTC'
timezone = 'UTC'
datestyle = 'iso, ymd'
"""
DURABLE: Final = "fsync = on\nfull_page_writes = on\nsynchronous_commit = on\n"
THROWAWAY: Final = "fsync = off\nfull_page_writes = off\nsynchronous_commit = off\n"

# No method without a password, and no address but this machine's.
HOST_AUTHENTICATION: Final = """\
local all all scram-sha-256
host  all all 127.0.0.1/32 scram-sha-256
"""


def render_configuration(*, port: int, socket_folder: Path, durable: bool) -> str:
    """Return `postgresql.conf`. A server that is not `durable` loses data when it is killed."""
    network = (
        "listen_addresses = '127.0.0.1'\n"
        f"port = {port}\n"
        f"unix_socket_directories = '{_quoted(socket_folder)}'\n"
        "unix_socket_permissions = 0700\n"
    )
    return (
        "# Written by gx before every start.\n"
        + network
        + TUNING
        + (DURABLE if durable else THROWAWAY)
    )


def socket_path_fits(socket_folder: Path) -> bool:
    """Say whether a server on any port could make its socket in this folder."""
    longest = socket_folder / ".s.PGSQL.65535.lock"
    return len(str(longest).encode()) <= SOCKET_PATH_BYTES_MAX


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")
