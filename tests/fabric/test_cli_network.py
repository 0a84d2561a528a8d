"""`gx fabric` and `gx chaincode` as a person types them, on a network that they started."""

import json
from collections.abc import Iterator

import pytest

from gx import __version__
from tests.fabric.cli_network import CliNetwork, cli_network
from tests.fabric.programs import require_programs

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(900),
    pytest.mark.xdist_group("cli-network"),
]


@pytest.fixture(scope="module")
def native(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CliNetwork]:
    """A network with the project's chaincode, bootstrapped, then upgraded to another version."""
    binaries = require_programs()
    with cli_network(tmp_path_factory.mktemp("native") / "var", binaries) as network:
        yield network


def test_everything_runs_and_preflight_is_content(native: CliNetwork) -> None:
    """What `gx fabric up` says is ready is ready for clients."""
    status, preflight = native.gx("fabric", "status", "--json"), native.gx("fabric", "preflight")

    assert status.code == 0, status.err
    assert {each["name"] for each in json.loads(status.out)["processes"]} == {
        *("orderer", "peer-org1", "peer-org2"),
        *("chaincode-a", "chaincode-b", "channel", "chaincode"),
    }
    assert preflight.code == 0, preflight.out


def test_a_command_is_invoked_recorded_and_read_back(native: CliNetwork) -> None:
    """The whole way: endorsed, ordered, committed, visible; a second bootstrap is refused."""
    invoked = native.gx("chaincode", "invoke", "AdminContract:BootstrapSystem", "--json")
    again = native.gx("chaincode", "invoke", "AdminContract:BootstrapSystem")
    read = native.gx("chaincode", "query", "AdminContract:GetSystemStatus")

    assert invoked.code == 0, invoked.err
    assert json.loads(invoked.out)["validationCode"] == "VALID"
    assert again.code == 1
    assert "ALREADY_BOOTSTRAPPED" in again.err
    assert json.loads(read.out)["bootstrapped"] is True


def test_what_is_in_force_is_not_deployed_again(native: CliNetwork) -> None:
    """Status is content, and an upgrade to the same version has nothing to do."""
    status = native.gx("chaincode", "status", "--json")
    committed = json.loads(status.out)["committed"]
    plan = native.gx("chaincode", "upgrade", "--version", committed["version"], "--apply")

    assert status.code == 0, status.err
    assert "nothing is left to do" in plan.out
    assert json.loads(native.gx("chaincode", "status", "--json").out)["committed"] == committed


def test_an_upgrade_is_planned_checked_and_carried_out_once(native: CliNetwork) -> None:
    """Without --apply nothing changes; a wrong sequence is refused; a second run does nothing."""
    before = json.loads(native.gx("chaincode", "status", "--json").out)["committed"]["sequence"]
    version = f"{__version__}.{before + 1}"
    upgrade = ("chaincode", "upgrade", "--version", version)
    planned = native.gx(*upgrade)
    unchanged = json.loads(native.gx("chaincode", "status", "--json").out)["committed"]
    wrong = native.gx(*upgrade, "--sequence", str(before + 5), "--apply")
    done = native.gx(*upgrade, "--sequence", str(before + 1), "--apply")
    again = native.gx(*upgrade, "--apply")
    after = json.loads(native.gx("chaincode", "status", "--json").out)["committed"]

    assert "commit version" in planned.out
    assert unchanged["sequence"] == before
    assert wrong.code == 1
    assert "does not follow" in wrong.err
    assert done.code == 0, done.err
    assert "To go back to" in done.err
    assert "nothing is left to do" in again.out
    assert after == {"version": version, "sequence": before + 1}
