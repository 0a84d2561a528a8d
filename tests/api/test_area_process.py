"""`gx api --areas`: the real process, with PostgreSQL and its metrics port."""

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.ports import free_port

WAIT_S = 60.0


@pytest.fixture
def service(database_dsn: str, tmp_path: Path) -> Iterator[tuple[str, str]]:
    """The tax and loans areas as a service; yields the addresses of API and metrics."""
    ports = free_port(), free_port()
    arguments = ["--areas", "loans,tax", "--port", str(ports[0]), "--metrics-port", str(ports[1])]
    environment = {
        "DATABASE_URL": database_dsn,
        "GX_DATA_DIR": str(tmp_path),
        "GX_API_KEYS_DIR": str(tmp_path / "keys"),
        "GX_LEDGER_SOCKET": str(tmp_path / "ledger.sock"),
        "PATH": "/usr/bin:/bin",
    }
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "gx.cli.main", "api", *arguments],
            env=environment,
            stdout=log,
            stderr=log,
        )
    try:
        urls = f"http://127.0.0.1:{ports[0]}", f"http://127.0.0.1:{ports[1]}"
        await_answer(process, urls[0] + "/readyz", tmp_path / "log")
        yield urls
    finally:
        process.terminate()
        process.wait(timeout=WAIT_S)


def await_answer(process: "subprocess.Popen[bytes]", url: str, log: Path) -> None:
    """Poll until the address answers with 200."""
    deadline_s = time.monotonic() + WAIT_S
    while time.monotonic() < deadline_s and process.poll() is None:
        try:
            if httpx.get(url, trust_env=False).status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.1)
    pytest.fail(f"{url} does not answer:\n{log.read_text()}")


def test_the_process_serves_and_counts_its_areas(service: tuple[str, str]) -> None:
    """Its routes answer, others are not there, and its metrics are labelled with its areas."""
    api, metrics = service
    body = {"fromId": "alice", "toId": "bob", "amount": "5"}
    with httpx.Client(trust_env=False) as client:
        fee = client.post(f"{api}/api/v1/fees/calculate", json=body)
        supply = client.get(f"{api}/api/v1/supply")
        paths = client.get(f"{api}/openapi.json").json()["paths"]
        exposition = client.get(f"{metrics}/metrics").text

    assert (fee.status_code, fee.json()["code"]) == (404, "ACCOUNT_NOT_FOUND")
    assert (supply.status_code, supply.json()["code"]) == (404, "NOT_FOUND")
    assert "/api/v1/velocity-tax/apply" in paths
    assert "/api/v1/transfers" not in paths
    counted = (
        'http_requests_total{service="loans-tax",endpoint="/api/v1/fees/calculate",'
        'method="POST",status="404"} 1'
    )
    assert counted in exposition
    assert 'service="api"' not in exposition


@pytest.mark.parametrize("arguments", [["--areas", "taxes"], ["serve", "--areas", "taxes"]])
def test_an_unknown_area_is_a_usage_error(arguments: list[str]) -> None:
    """Exit code 2, and the text lists the areas."""
    done = subprocess.run(
        [sys.executable, "-m", "gx.cli.main", "api", *arguments],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 2
    assert "there is no area 'taxes'; there are admin" in done.stderr.replace("\n", " ")
