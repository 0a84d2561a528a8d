"""network-config-analyzer as a second opinion, on many clusters in one call."""

import re
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from ipaddress import IPv4Address
from pathlib import Path
from typing import Final

import yaml

from tests.proof.reachability.random_clusters import PROTOCOLS, Document

ANALYSER_TIMEOUT_S: Final = 540
ALL_PORTS: Final = range(1, 65_536)
# One process, since most of its time is spent on imports; and a run of its own for each cluster:
# in one run with many, 2.1.0 forgets a named port whose protocol another rule has wrong.
_DRIVER: Final = """
import sys
from nca.nca_cli import nca_main
for name in sys.argv[1:]:
    print("CLUSTER", name, flush=True)
    nca_main(["--connectivity", "-r", name, "-o", "txt_no_fw_rules", "--output_endpoints", "pods"])
"""
_CLUSTER: Final = re.compile(r"^CLUSTER (\S+)$")
_LINE: Final = re.compile(r"^(\S+) => (\S+) : (.+)$")
_PART: Final = re.compile(r"\{protocols:([A-Z, ]+?)(?:,dst_ports:([\d,-]+))?\}")


class Allowed:
    """What the analyser says of one cluster."""

    def __init__(self) -> None:
        self._found: list[tuple[str, str, str, range]] = []

    def add(self, line: str) -> None:
        """Take a line of its report; what is no connection is passed over."""
        match = _LINE.match(line)
        if match is None:
            return
        source, target, said = match.groups()
        for protocol, ports in _parts(said):
            self._found.append((source, target, protocol, ports))

    def __len__(self) -> int:
        return len(self._found)

    def allows(self, source: str, target: str, protocol: str, port: int) -> bool:
        """Say whether a connection is allowed; an end is `namespace/pod`, or an address."""
        return any(
            protocol == one and port in ports and _is(end, source) and _is(other, target)
            for end, other, one, ports in self._found
        )


def analyse(clusters: Mapping[str, Sequence[Document]], folder: Path) -> dict[str, Allowed]:
    """Have all clusters analysed, each by itself."""
    for name, documents in clusters.items():
        (folder / name).mkdir()
        text = yaml.safe_dump_all(list(documents))
        (folder / name / "manifests.yaml").write_text(text, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-c", _DRIVER, *clusters],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=ANALYSER_TIMEOUT_S,
    )
    assert done.returncode == 0, done.stderr
    return _read(done.stdout)


def _read(text: str) -> dict[str, Allowed]:
    found: dict[str, Allowed] = {}
    current = Allowed()
    for line in text.splitlines():
        if match := _CLUSTER.match(line):
            current = found.setdefault(match[1], Allowed())
        else:
            current.add(line)
    return found


def _parts(said: str) -> Iterator[tuple[str, range]]:
    if said == "All connections":
        yield from ((protocol, ALL_PORTS) for protocol in PROTOCOLS)
        return
    parts = _PART.findall(said)
    assert parts, f"not understood: {said}"
    assert len(parts) == said.count("{"), f"not understood: {said}"
    for protocols, ports in parts:
        for protocol in protocols.replace(" ", "").split(","):
            for part in ports.split(",") if ports else ["1-65535"]:
                first, _, last = part.partition("-")
                yield protocol, range(int(first), int(last or first) + 1)


def _is(end: str, wanted: str) -> bool:
    """Compare an end of the report: a pod by its name, addresses by their range."""
    if "/" in wanted or "/" in end:
        return end == wanted
    address = IPv4Address(wanted)
    for part in end.split(","):
        first, _, last = part.partition("-")
        if IPv4Address(first) <= address <= IPv4Address(last or first):
            return True
    return False
