"""What only Fabric itself can show. Where its programs are absent, these say why they did not run.

One network with the project's chaincode is bootstrapped by Fabric's own command line and then
hurt, node by node.
"""

import json
import time
from collections.abc import Callable, Iterator
from typing import Final

import pytest

from gx.fabric.package import build_package
from tests.fabric.cli_network import BOOTSTRAP, MINT, CliNetwork, cli_network
from tests.fabric.programs import require_programs

PATIENCE_S: Final = 120.0
CHAINCODE: Final = ("-C", "gxchannel", "-n", "gxtv3")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(900),
    pytest.mark.xdist_group("native-network"),
]


@pytest.fixture(scope="module")
def native(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CliNetwork]:
    """A network of Fabric's own nodes, bootstrapped by Fabric's own `peer`."""
    binaries = require_programs()
    with cli_network(tmp_path_factory.mktemp("native") / "var", binaries) as network:
        network.invoke(BOOTSTRAP)
        yield network


def pool_balance(native: CliNetwork) -> int:
    """Read the genesis pool's balance with Fabric's own command line."""
    call = {"function": "TokenomicsContract:GetBalance", "Args": ["SYSTEM_USER_GENESIS_POOL"]}
    ran = native.peer("chaincode", "query", *CHAINCODE, "-c", json.dumps(call))
    assert ran.code == 0, ran.err
    return int(json.loads(ran.out)["balance"])


def until(condition: Callable[[], bool]) -> None:
    """Poll until it holds."""
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, "in vain"
        time.sleep(0.2)


def test_fabrics_own_command_line_mints(native: CliNetwork) -> None:
    """The function names and arguments of the field work unchanged, as the administrator."""
    before = pool_balance(native)

    native.invoke(MINT)

    assert pool_balance(native) == before + 50_000_000_000_000_000


def test_fabric_computes_the_package_id_that_we_do(native: CliNetwork) -> None:
    """The server registers under an id that peers must find, too."""
    package = build_package(version="9", address="127.0.0.1:9999")
    path = package.write(native.network.packages)

    ran = native.peer("lifecycle", "chaincode", "calculatepackageid", str(path))

    assert ran.out.strip() == package.package_id


@pytest.mark.parametrize("name", ["orderer", "peer-org1", "peer-org2", "chaincode-a"])
def test_a_killed_process_comes_back_with_everything(native: CliNetwork, name: str) -> None:
    """After kill -9 the supervisor starts it anew, and nothing that was committed is lost."""
    before = pool_balance(native)
    killed = native.pid_of(name)

    native.kill(name)
    until(lambda: native.pid_of(name) not in {None, killed} and native.is_ready())
    until(lambda: native.gx("fabric", "preflight").code == 0)

    assert pool_balance(native) == before


def test_an_identity_without_its_role_is_refused(native: CliNetwork) -> None:
    """The role comes from the certificate, whatever the caller says."""
    call = ("chaincode", "invoke", "TokenomicsContract:Mint", "alice", "1", "mine")

    refused = native.gx(*call, "--role", "gx_partner_api")

    assert refused.code == 1
    assert "ROLE" in refused.err
