"""The official Node client in the submitter's place: benchmarks/node_gateway/submitter.mjs."""

import shutil
import subprocess
from pathlib import Path
from typing import Final
from urllib.parse import parse_qs, urlsplit

import msgspec

from benchmarks.stack import READY_AT, SUBMITTER, BenchmarkError, Loop
from gx.database.leases import PostgresLeases
from gx.domain.batches import BATCH_FUNCTION, OutcomeKind
from gx.domain.catalogue import COMMANDS
from gx.domain.roles import LedgerRole
from gx.ledger.fabric.profile import load_profile
from gx.outbox.options import SubmitterOptions
from gx.outbox.postgres.store import PENDING, SETTLE

FOLDER: Final = Path(__file__).parent / "node_gateway"
NODE_SUBMITTER: Final = "node-submitter"
LEASE_S: Final = 600.0
"""Longer than it ever runs: it does not renew its lease."""

PAGE: Final = 500

# The note is what `benchmarks.timeline` reads: the shipped submitters cause it by deleting their
# envelopes, and this one has none. `$9` are the transactions.
SETTLE_AND_NOTE: Final = f"""
    WITH noted AS (
        INSERT INTO benchmark_settled
        SELECT unnest($9::text[]), extract(epoch FROM clock_timestamp()) * 1000
            ON CONFLICT DO NOTHING
    ) {SETTLE}
"""  # noqa: S608 (constants)


def install_node_client() -> None:
    """Install the pinned packages, unless they are there.

    Raises:
        BenchmarkError: there is no npm, or it failed.
    """
    installed, pinned = FOLDER / "node_modules/.package-lock.json", FOLDER / "package-lock.json"
    if installed.exists() and installed.stat().st_mtime >= pinned.stat().st_mtime:
        return
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        raise BenchmarkError("the baseline needs Node.js 20 or newer, with npm, on PATH")
    ended = subprocess.run(
        (npm, "ci", "--loglevel=error"), cwd=FOLDER, capture_output=True, text=True, check=False
    )
    if ended.returncode != 0:
        raise BenchmarkError(f"npm ci failed in {FOLDER}: {ended.stderr[-1_000:]}")


def node_version() -> str:
    """Return the versions of client and Node.js."""
    package = msgspec.json.decode((FOLDER / "package.json").read_bytes())
    node = subprocess.run(("node", "--version"), capture_output=True, text=True, check=False)
    client = package["dependencies"]["@hyperledger/fabric-gateway"]
    return f"@hyperledger/fabric-gateway {client} on Node.js {node.stdout.strip()}"


async def start_node_submitter(loop: Loop, *, in_flight: int) -> None:
    """Start it in the place of the loop's own submitter, under the same lease."""
    options = SubmitterOptions(channel=_channel(loop), holder=NODE_SUBMITTER)
    leases = PostgresLeases(loop.listening)
    try:
        lease = await leases.acquire(options.lease_name, options.holder, ttl_s=LEASE_S)
    finally:
        await leases.close()
    if lease is None:
        raise BenchmarkError("another submitter is active")
    plan = loop.folder / "node.json"
    described = {**_plan(loop, in_flight), "lease": {"name": lease.name, "epoch": lease.epoch}}
    plan.write_bytes(msgspec.json.encode(described))
    await loop.start_other(NODE_SUBMITTER, ("node", str(FOLDER / "submitter.mjs"), str(plan)))


async def stop_node_submitter(loop: Loop) -> None:
    """Stop it, and make its lease free."""
    await loop.stop(NODE_SUBMITTER)
    await loop.pool.execute("UPDATE leases SET expires_at = '-infinity'")


def _plan(loop: Loop, in_flight: int) -> dict[str, object]:
    profile = load_profile(Path(loop.environment["GX_FABRIC_PROFILE"]))
    peer, identity = profile.peers[0], profile.identities[LedgerRole.PARTNER_API]
    return {
        "channel": profile.channel,
        "chaincode": profile.chaincode,
        "peer": {
            "endpoint": peer.endpoint,
            "serverName": peer.server_name or peer.endpoint.rpartition(":")[0],
            "tlsCa": str(peer.tls_ca),
        },
        "identity": {
            "mspId": identity.msp_id,
            "certificate": str(identity.certificate),
            "key": str(identity.key),
        },
        "database": _database(loop.dsn),
        "function": BATCH_FUNCTION,
        "calls": _calls(),
        "pending": PENDING,
        "settle": SETTLE_AND_NOTE,
        "committed": OutcomeKind.COMMITTED.value,
        "page": PAGE,
        "inFlight": in_flight,
        "readyPort": int(loop.environment[READY_AT[SUBMITTER]]),
    }


def _calls() -> dict[str, object]:
    return {
        name: {
            "function": spec.function,
            "parameters": [argument.name for argument in spec.arguments],
        }
        for name, spec in COMMANDS.items()
    }


def _database(dsn: str) -> dict[str, object]:
    """Describe a server behind a socket as `pg` wants it."""
    parts = urlsplit(dsn)
    query = parse_qs(parts.query)
    return {
        "host": query["host"][0],
        "port": int(query["port"][0]),
        "user": parts.username,
        "password": parts.password,
        "database": parts.path.lstrip("/"),
    }


def _channel(loop: Loop) -> str:
    return load_profile(Path(loop.environment["GX_FABRIC_PROFILE"])).channel
