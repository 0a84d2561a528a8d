"""Stand-ins for Fabric's programs, for machines that do not have them.

They take the options that the real ones document and no others, keep the rules that make the
lifecycle awkward, and answer in the same words. The first organisation's peer serves the gateways
of both, on a channel that stands in for a real one and forgets all at its end; for both it calls
the chaincode server of the definition in force, where that definition's package says. What a real
network does is tested on a real network.

Run as `stand_in_programs.py STATE_FOLDER PROGRAM ARGUMENTS...`.
"""

import argparse
import base64
import fcntl
import hashlib
import json
import os
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Final, TypedDict
from urllib.request import Request, urlopen

import yaml
from typing_extensions import override

from gx.fabric.package import read_package
from tests.fabric.tls_server import serving

MAJORITY = base64.b64encode(b"\x12 /Channel/Application/Endorsement").decode()


class Approved(TypedDict):
    """An organisation's approval."""

    version: str
    package_id: str


class State(TypedDict):
    """What the stand-in network remembers."""

    channels: dict[str, list[str]]
    installed: dict[str, list[str]]
    addresses: dict[str, str]
    approved: dict[str, dict[str, Approved]]
    committed: list[str]
    sequence: int


class RefusedError(Exception):
    """What a real program would say before it ends with status 1."""


@contextmanager
def state_in(folder: Path) -> Iterator[State]:
    """Yield the state and keep what is changed in it, one process at a time."""
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        path = folder / "state.json"
        empty = State(
            channels={}, installed={}, addresses={}, approved={}, committed=[], sequence=0
        )
        state: State = json.loads(path.read_text()) if path.exists() else empty
        yield state
        path.write_text(json.dumps(state))


def serve(address: str, answers: dict[str, str], *, state: Path) -> ThreadingHTTPServer:
    """Answer GETs of these paths, and channel participation, until the process ends."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            with state_in(state) as known:
                is_joined = self.path.rpartition("/")[2] in known["channels"].get("orderer", [])
            there = self.path in answers or is_joined
            self._answer(200 if there else 404, answers.get(self.path, "{}"))

        def do_POST(self) -> None:
            with state_in(state) as known:
                joined = known["channels"].setdefault("orderer", [])
                channel = self.path.rpartition("/")[2]
                status = 405 if channel in joined else 201
                joined.append(channel)
            self._answer(status, "{}")

        def _answer(self, status: int, body: str) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body.encode())

        @override
        def log_message(self, format: str, *args: object) -> None:
            del format, args

    host, _, port = address.rpartition(":")
    server = ThreadingHTTPServer((host, int(port)), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def options(
    arguments: Sequence[str], *flags: str, positional: Sequence[str] = ()
) -> dict[str, str]:
    """Read options of these names and no others."""
    parser = argparse.ArgumentParser(allow_abbrev=False, exit_on_error=True)
    for name in positional:
        parser.add_argument(name)
    for flag in flags:
        if flag in {"--tls", "--waitForEvent"}:
            parser.add_argument(flag, action="store_true")
        else:
            parser.add_argument(flag, action="append", default=[])
    found = vars(parser.parse_args(list(arguments)))
    return {
        name: " ".join(value) if isinstance(value, list) else str(value)
        for name, value in found.items()
    }


def cryptogen(arguments: Sequence[str]) -> None:
    """`generate --config FILE --output FOLDER`."""
    assert arguments[0] == "generate"
    found = options(arguments[1:], "--config", "--output")
    config = yaml.safe_load(Path(found["config"]).read_text())
    output = Path(found["output"])
    for each in config["OrdererOrgs"]:
        home = output / "ordererOrganizations" / each["Domain"]
        name = f"{each['Specs'][0]['Hostname']}.{each['Domain']}"
        write_organisation(home, each["Domain"], home / "orderers" / name, name)
    for each in config["PeerOrgs"]:
        home = output / "peerOrganizations" / each["Domain"]
        name = f"peer0.{each['Domain']}"
        write_organisation(home, each["Domain"], home / "peers" / name, name)


def write_organisation(home: Path, domain: str, node: Path, name: str) -> None:
    """Write the parts of an organisation's folder that anybody reads."""
    from tests.fabric.authority import real_now, write_authority, write_server  # noqa: PLC0415 (heavy, and every program starts often)

    write_authority(home / "ca", name=f"ca.{domain}", now=real_now())
    write_server(home / "tlsca", node / "tls", name=name)
    for folder in (home / "msp", node / "msp", home / "users" / f"Admin@{domain}" / "msp"):
        folder.mkdir(parents=True)


LEADING: Final = 'consensus_etcdraft_is_leader{channel="gxchannel"} 1\n'


def configtxgen(arguments: Sequence[str]) -> None:
    """`-profile NAME -channelID NAME -outputBlock FILE`."""
    found = options(arguments, "-profile", "-channelID", "-outputBlock")
    config = yaml.safe_load(Path(os.environ["FABRIC_CFG_PATH"], "configtx.yaml").read_text())  # noqa: TID251 (Fabric's own variable)
    assert found["profile"] in config["Profiles"]
    Path(found["outputBlock"]).write_text(f"the first block of {found['channelID']}")


def orderer(state: Path) -> None:
    """Run an orderer until SIGTERM."""
    config = yaml.safe_load(Path(os.environ["FABRIC_CFG_PATH"], "orderer.yaml").read_text())  # noqa: TID251 (Fabric's own variable)
    health = {"/healthz": '{"status":"OK"}', "/metrics": LEADING}
    serve(config["Operations"]["ListenAddress"], health, state=state)
    serve(config["Admin"]["ListenAddress"], {}, state=state)
    certificate = Path(config["General"]["TLS"]["Certificate"])
    with serving(certificate.parent, int(config["General"]["ListenPort"])):
        signal.sigwait({signal.SIGTERM})


def osnadmin(arguments: Sequence[str]) -> None:
    """`channel join --channelID NAME --config-block FILE --orderer-address ADDRESS`."""
    assert arguments[:2] == ["channel", "join"]
    found = options(arguments[2:], "--channelID", "--config-block", "--orderer-address")
    assert Path(found["config_block"]).exists()
    url = f"http://{found['orderer_address']}/participation/v1/channels/{found['channelID']}"
    with urlopen(Request(url, method="POST", data=b"")) as answer:
        print(f"Status: {answer.status}\n{{}}")  # noqa: T201 (a program prints)


def peer(state: Path, arguments: Sequence[str]) -> None:
    """`version`, `node start`, `channel join|list` and `lifecycle chaincode ...`."""
    match arguments:
        case ["version"]:
            print("peer:\n Version: v3.1.5\n Commit SHA: stand-in")  # noqa: T201 (a program prints)
        case ["node", "start"]:
            node_start(Path(os.environ["FABRIC_CFG_PATH"]), state)  # noqa: TID251 (Fabric's own variable)
        case ["channel", *rest]:
            with state_in(state) as known:
                peer_channel(known, rest)
        case ["lifecycle", "chaincode", subcommand, *rest]:
            with state_in(state) as known:
                print(lifecycle(known, subcommand, rest))  # noqa: T201 (a program prints)
        case _:
            raise RefusedError(f"unknown command {arguments}")


def node_start(folder: Path, state: Path) -> None:
    """Run a peer until SIGTERM."""
    config = yaml.safe_load((folder / "core.yaml").read_text())
    address = config["operations"]["listenAddress"]
    serve(address, {"/healthz": '{"status":"OK"}'}, state=state)
    if folder.name == "org1":
        from tests.fabric.stand_in_gateways import serve_gateways  # noqa: PLC0415 (heavy, and every program starts often)

        configs = [folder.parent / name / "core.yaml" for name in ("org1", "org2")]
        serve_gateways([yaml.safe_load(path.read_text())["peer"] for path in configs], state)
    else:
        signal.sigwait({signal.SIGTERM})


def peer_channel(state: State, arguments: Sequence[str]) -> None:
    """`join --blockpath FILE` and `list`."""
    joined = state["channels"].setdefault(os.environ["CORE_PEER_ADDRESS"], [])  # noqa: TID251 (Fabric's own variable)
    if arguments[0] == "join":
        block = Path(options(arguments[1:], "--blockpath")["blockpath"]).read_text()
        joined.append(block.rpartition(" ")[2])
    print("\n".join(["Channels peers has joined: ", *joined]))  # noqa: T201 (a program prints)


CHAINCODE = ("--channelID", "--name")
ORDERER = ("--orderer", "--tls", "--cafile")
WAIT = ("--waitForEvent", "--waitForEventTimeout")
ENDORSERS = ("--peerAddresses", "--tlsRootCertFiles")


def lifecycle(state: State, subcommand: str, arguments: Sequence[str]) -> str:
    """Carry out one subcommand as the organisation that the environment names."""
    msp, address = os.environ["CORE_PEER_LOCALMSPID"], os.environ["CORE_PEER_ADDRESS"]  # noqa: TID251 (Fabric's own variables)
    assert Path(os.environ["CORE_PEER_MSPCONFIGPATH"]).is_dir()  # noqa: TID251 (Fabric's own variable)
    assert Path(os.environ["CORE_PEER_TLS_ROOTCERT_FILE"]).is_file()  # noqa: TID251 (Fabric's own variable)
    match subcommand:
        case "queryinstalled":
            options(arguments, "--output")
            found = [{"package_id": each} for each in state["installed"].get(address, [])]
            return json.dumps({"installed_chaincodes": found} if found else {})
        case "install":
            install(state, address, Path(options(arguments, positional=["package"])["package"]))
            return ""
        case "queryapproved":
            found_options = options(arguments, *CHAINCODE, "--sequence")
            return query_approved(state, msp, found_options["sequence"])
        case "querycommitted":
            options(arguments, *CHAINCODE, "--output")
            return query_committed(state)
        case "approveformyorg":
            definition = options(
                *(arguments, *CHAINCODE, "--version", "--sequence", "--package-id"),
                *("--signature-policy", *ORDERER, *WAIT, *ENDORSERS),
            )
            return approve(state, msp, definition)
        case "commit":
            definition = options(
                *(arguments, *CHAINCODE, "--version", "--sequence"),
                *("--signature-policy", *ORDERER, *WAIT, *ENDORSERS),
            )
            return commit(state, definition)
        case _:
            raise RefusedError(f"unknown command {subcommand}")


def install(state: State, peer_address: str, path: Path) -> None:
    """Keep a package, and where it says that its server is."""
    label = path.name.rpartition("-")[0]
    package_id = f"{label}:{hashlib.sha256(path.read_bytes()).hexdigest()}"
    state["installed"].setdefault(peer_address, []).append(package_id)
    state["addresses"][package_id] = read_package(path).address


def query_approved(state: State, msp: str, sequence: str) -> str:
    """Say what an organisation approved."""
    found = state["approved"].get(msp, {}).get(sequence)
    if found is None:
        raise RefusedError(
            "query failed with status: 500 - failed to invoke backing implementation of "
            "'QueryApprovedChaincodeDefinition': could not fetch approved chaincode definition "
            f"(name: 'gxtv3', sequence: '{sequence}') on channel 'gxchannel'"
        )
    return (
        "Approved chaincode definition for chaincode 'gxtv3' on channel 'gxchannel':\n"
        f"sequence: {sequence}, version: {found['version']}, init-required: false, "
        f"package-id: {found['package_id']}, endorsement plugin: escc, validation plugin: vscc"
    )


def query_committed(state: State) -> str:
    """Say what is in force."""
    if not state["committed"]:
        raise RefusedError("query failed with status: 404 - namespace gxtv3 is not defined")
    return json.dumps(
        {
            "sequence": state["sequence"],
            "version": state["committed"][-1],
            "endorsement_plugin": "escc",
            "validation_plugin": "vscc",
            "validation_parameter": MAJORITY,
            "collections": {},
            "approvals": dict.fromkeys(state["approved"], True),
        }
    )


def approve(state: State, msp: str, definition: dict[str, str]) -> str:
    """Approve; the same approval twice is refused."""
    approval = Approved(version=definition["version"], package_id=definition["package_id"])
    if state["approved"].setdefault(msp, {}).get(definition["sequence"]) == approval:
        raise RefusedError(
            "proposal failed with status: 500 - attempted to redefine uncommitted sequence "
            f"({definition['sequence']}) for namespace gxtv3 with unchanged content"
        )
    state["approved"][msp][definition["sequence"]] = approval
    return ""


def commit(state: State, definition: dict[str, str]) -> str:
    """Commit; both organisations must have approved the next sequence."""
    sequence = int(definition["sequence"])
    if sequence != state["sequence"] + 1:
        raise RefusedError(
            f"proposal failed with status: 500 - requested sequence is {sequence}, but new "
            f"definition must be sequence {state['sequence'] + 1}"
        )
    approvals = [each.get(definition["sequence"]) for each in state["approved"].values()]
    agreed = [each for each in approvals if each and each["version"] == definition["version"]]
    if len(agreed) < len(definition["peerAddresses"].split()):
        raise RefusedError("proposal failed with status: 500 - chaincode definition not agreed to")
    state["committed"].append(definition["version"])
    state["sequence"] = sequence
    return ""


def main(state: Path, program: str, arguments: list[str]) -> None:
    """Be one of the programs."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    match program:
        case "cryptogen":
            cryptogen(arguments)
        case "configtxgen":
            configtxgen(arguments)
        case "orderer":
            orderer(state)
        case "osnadmin":
            osnadmin(arguments)
        case "peer":
            peer(state, arguments)
        case _:
            raise RefusedError(f"no stand-in for {program}")


if __name__ == "__main__":
    try:
        main(Path(sys.argv[1]), sys.argv[2], sys.argv[3:])
    except RefusedError as error:
        sys.exit(f"Error: {error}")
