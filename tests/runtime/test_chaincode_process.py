"""`gx chaincode serve` as it is deployed: settings, port of telemetry, signals, logs."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from grpc import aio

from gx.domain.roles import LedgerRole
from gx.runtime.settings import Environment, SettingsError, load_chaincode
from gx.telemetry.catalogue import metrics_of
from gx.telemetry.metric import Process
from tests.chaincode.server.creators import END, a_certificate, an_authority
from tests.chaincode.server.peer_double import PeerDouble
from tests.ports import free_port
from tests.telemetry.processes import declared_names, samples_of

PACKAGE_ID = f"gxtv3_1:{'a' * 64}"
WITHIN_S = 50.0


@dataclass
class ChaincodeProcess:
    """The process under test, and where it is reached."""

    address: str
    telemetry: str
    process: asyncio.subprocess.Process

    async def read_log(self) -> list[dict[str, object]]:
        """Read the log to its end; every line is a JSON object."""
        assert self.process.stdout is not None
        text = (await self.process.stdout.read()).decode()
        return [json.loads(line) for line in text.splitlines()]

    async def fetch(self, path: str) -> httpx.Response:
        """Ask the telemetry port."""
        async with httpx.AsyncClient(base_url=self.telemetry) as client:
            return await client.get(path)


@asynccontextmanager
async def a_chaincode(**variables: str) -> AsyncIterator[ChaincodeProcess]:
    """Start the process and wait until it is ready."""
    address, metrics_port = f"127.0.0.1:{free_port()}", free_port()
    environment = {
        "PATH": os.environ["PATH"],  # noqa: TID251 (a child needs it; tests have no settings)
        "CHAINCODE_ID": PACKAGE_ID,
        "CHAINCODE_SERVER_ADDRESS": address,
        "GX_CHAINCODE_METRICS_PORT": str(metrics_port),
        **variables,
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "gx.cli.main", "chaincode", "serve",
        env=environment, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    chaincode = ChaincodeProcess(address, f"http://127.0.0.1:{metrics_port}", process)
    try:
        await wait_until_ready(chaincode)
        yield chaincode
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def wait_until_ready(chaincode: ChaincodeProcess) -> None:
    """Ask the probe until it is content."""
    async with asyncio.timeout(WITHIN_S):
        while True:
            try:
                if (await chaincode.fetch("/readyz")).is_success:
                    return
            except httpx.TransportError:
                pass
            assert chaincode.process.returncode is None
            await asyncio.sleep(0.05)


async def test_it_serves_peers_and_says_how_it_fares() -> None:
    """Calls are counted by function and ending, connections as they are; SIGTERM ends it with 0."""
    async with a_chaincode() as chaincode:
        channel = aio.insecure_channel(chaincode.address)
        async with channel, PeerDouble().connected(channel) as peer:
            assert peer.registered_as == PACKAGE_ID
            done = await peer.call("AdminContract:BootstrapSystem")
            assert done.response.status == 200
            refused = await peer.call("AdminContract:BootstrapSystem", role=LedgerRole.PARTNER_API)
            assert refused.refusal == "ROLE_REQUIRED"
            scraped = (await chaincode.fetch("/metrics")).content
            assert (await chaincode.fetch("/livez")).is_success
            chaincode.process.send_signal(signal.SIGTERM)
            assert await asyncio.wait_for(chaincode.process.wait(), WITHIN_S) == 0
        log = await chaincode.read_log()

    samples = samples_of(scraped)
    labels = (("contract", "AdminContract"), ("function", "BootstrapSystem"))
    for status, count in (("success", 1.0), ("refused", 1.0), ("error", 0.0)):
        assert samples["chaincode_requests_total", (*labels, ("status", status))] == count
    assert samples["chaincode_request_duration_ms_count", labels] == 2
    assert samples["chaincode_streams", ()] == 1
    always = [metric for metric in metrics_of(Process.CHAINCODE) if metric.condition is None]
    assert declared_names(scraped) >= {metric.name for metric in always}
    events = [line["event"] for line in log]
    assert "peer_registered" in events
    assert events[-1] == "process_stopped"
    assert {line["process"] for line in log} == {"chaincode"}


async def test_with_tls_it_tells_when_its_certificate_ends(tmp_path: Path) -> None:
    """The alert on certificates covers what the peers need to reach the contracts."""
    issued = a_certificate("server", host="chaincode.test")
    files = {
        "CERTIFICATE": issued.certificate_pem,
        "KEY": issued.key_pem,
        "CLIENT_ROOTS": an_authority("ca.peers").certificate_pem,
    }
    variables = {f"GX_CHAINCODE_TLS_{name}": str(tmp_path / name) for name in files}
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    async with a_chaincode(**variables) as chaincode:
        samples = samples_of((await chaincode.fetch("/metrics")).content)

    name = "certificate_expiry_timestamp_seconds"
    assert samples[name, (("identity", "chaincode_tls"),)] == END.timestamp()


async def test_logs_hold_nothing_of_what_users_send() -> None:
    """Neither arguments nor keys nor values, whatever happens; a failure is told by its place."""
    async with a_chaincode(GX_LOG_LEVEL="DEBUG") as chaincode:
        channel = aio.insecure_channel(chaincode.address)
        async with channel, PeerDouble().connected(channel) as peer:
            peer.commit(await peer.call("AdminContract:BootstrapSystem"))
            peer.state["account_secret-name"] = b"this is no record"
            failed = await peer.call("TokenomicsContract:Mint", "secret-name", "5", "secret remark")
            assert failed.response.status == 500
            assert "secret" not in failed.response.message
            await peer.call("Batch:Execute", "secret batch")
        chaincode.process.terminate()
        log = await chaincode.read_log()

    assert "secret" not in json.dumps(log)
    (failure,) = [line for line in log if line["event"] == "transaction_failed"]
    assert failure["error"] == "DecodeError"
    assert "accounts.py" in str(failure["frames"])


def settings_of(monkeypatch: pytest.MonkeyPatch, **variables: str) -> Mapping[str, object]:
    """Read the settings from these variables alone."""
    for name in ("CHAINCODE_ID", "CHAINCODE_SERVER_ADDRESS", "GX_ENVIRONMENT"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    return load_chaincode().model_dump()


def test_fabrics_own_variables_name_package_and_address(monkeypatch: pytest.MonkeyPatch) -> None:
    """As the deployments of other chaincode servers do; our own names win over them."""
    found = settings_of(
        monkeypatch, CHAINCODE_ID=PACKAGE_ID, CHAINCODE_SERVER_ADDRESS="0.0.0.0:7777"
    )
    assert (found["package_id"], found["address"]) == (PACKAGE_ID, "0.0.0.0:7777")

    ours = settings_of(
        monkeypatch,
        CHAINCODE_ID=PACKAGE_ID,
        GX_CHAINCODE_PACKAGE_ID=f"b:{'b' * 64}",
        GX_CHAINCODE_ADDRESS="127.0.0.1:1",
    )
    assert (ours["package_id"], ours["address"]) == (f"b:{'b' * 64}", "127.0.0.1:1")


def test_the_default_address_is_on_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody else reaches a chaincode that was not told where to listen."""
    assert settings_of(monkeypatch, CHAINCODE_ID=PACKAGE_ID)["address"] == "127.0.0.1:9999"


@pytest.mark.parametrize(
    ("variables", "told"),
    [
        ({}, "CHAINCODE_ID"),
        ({"CHAINCODE_ID": "gxtv3"}, "PACKAGE_ID"),
        ({"CHAINCODE_ID": PACKAGE_ID, "CHAINCODE_SERVER_ADDRESS": "nowhere"}, "ADDRESS"),
        ({"CHAINCODE_ID": PACKAGE_ID, "GX_CHAINCODE_TLS_KEY": "/k"}, "go together"),
        ({"CHAINCODE_ID": PACKAGE_ID, "GX_ENVIRONMENT": Environment.MAINNET.value}, "TLS"),
    ],
    ids=["no id", "no package id", "no address", "half of TLS", "clear text on mainnet"],
)
def test_a_wrong_setting_is_named(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], told: str
) -> None:
    """The text names the variable; a server without TLS by mistake does not start."""
    with pytest.raises(SettingsError, match=told):
        settings_of(monkeypatch, **variables)
