"""Chaincode packages."""

import hashlib
import io
import json
import subprocess
import tarfile
from pathlib import Path

from gx.fabric.package import ServerTls, build_package

ADDRESS = "127.0.0.1:9999"
BIG_TLS = ServerTls(root="R" * 90_000, certificate="C", key="K")


def members(content: bytes) -> dict[str, bytes]:
    """Unpack an archive."""
    with tarfile.open(fileobj=io.BytesIO(content), mode="r:gz") as archive:
        files = [(member.name, archive.extractfile(member)) for member in archive.getmembers()]
        return {name: file.read() for name, file in files if file is not None}


def test_the_same_version_and_address_are_the_same_bytes() -> None:
    """The server registers under the package's id before any peer has seen the package."""
    package = build_package(version="1.2.3", address=ADDRESS)

    assert package == build_package(version="1.2.3", address=ADDRESS)
    assert package.package_id == f"gxtv3_1.2.3:{hashlib.sha256(package.content).hexdigest()}"


def test_the_bytes_are_those_of_every_machine() -> None:
    """A compressor or an archive that wrote times or names would give each machine another id."""
    package = build_package(version="1", address=ADDRESS)
    with tarfile.open(fileobj=io.BytesIO(package.content), mode="r:gz") as archive:
        entries = archive.getmembers()

    assert package.content[4:8] == b"\0\0\0\0"  # gzip's time
    assert {(entry.mtime, entry.uid, entry.uname) for entry in entries} == {(0, 0, "")}
    assert (
        package.package_id
        == "gxtv3_1:3f59bdf336292d5ef35ab5f30242b22204e55681d22e13c9b38bbbb3ff446c5f"
    )


def test_any_unpacker_reads_it(tmp_path: Path) -> None:
    """The archive is an ordinary one, whatever its bytes were made with."""
    path = build_package(version="1", address=ADDRESS, tls=BIG_TLS).write(tmp_path)

    listed = subprocess.run(
        ["tar", "-tzf", str(path)], capture_output=True, text=True, check=True
    ).stdout

    assert listed.split() == ["code.tar.gz", "metadata.json"]


def test_another_version_or_address_is_another_package() -> None:
    """Two servers never pass for one another."""
    ids = {
        build_package(version=version, address=address).package_id
        for version in ("1", "2")
        for address in (ADDRESS, "127.0.0.1:9998")
    }

    assert len(ids) == 4


def test_peers_learn_where_the_server_is() -> None:
    """The package is of type ccaas and holds connection.json, as the external builder wants it."""
    files = members(build_package(version="1", address=ADDRESS).content)
    connection = json.loads(members(files["code.tar.gz"])["connection.json"])

    assert json.loads(files["metadata.json"]) == {"type": "ccaas", "label": "gxtv3_1"}
    assert connection == {"address": ADDRESS, "dial_timeout": "10s", "tls_required": False}


def test_with_tls_peers_and_server_know_each_other() -> None:
    """Peers get the server's root and a certificate of their own to show."""
    tls = ServerTls(root="ROOT", certificate="CERTIFICATE", key="KEY")
    files = members(build_package(version="1", address=ADDRESS, tls=tls).content)
    connection = json.loads(members(files["code.tar.gz"])["connection.json"])

    assert connection["tls_required"]
    assert connection["client_auth_required"]
    assert (connection["root_cert"], connection["client_cert"], connection["client_key"]) == (
        "ROOT",
        "CERTIFICATE",
        "KEY",
    )


def test_it_is_written_under_a_name_of_its_own(tmp_path: Path) -> None:
    """Packages of one version for two addresses do not overwrite each other."""
    one = build_package(version="1", address=ADDRESS).write(tmp_path / "packages")
    two = build_package(version="1", address="127.0.0.1:9998").write(tmp_path / "packages")

    assert one != two
    assert one.read_bytes() == build_package(version="1", address=ADDRESS).content
