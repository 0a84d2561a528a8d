"""Chaincode packages: deterministic, so that the package's id is known before it is installed.

A chaincode-as-a-service package holds no code: it says at which address peers find the server.
The server must register under exactly the package's id, so it can start only once that is known.
"""

import hashlib
import io
import json
import struct
import tarfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypedDict

from gx.domain.errors import GxError

LABEL_PREFIX: Final = "gxtv3"
DIAL_TIMEOUT: Final = "10s"
BLOCK_BYTES: Final = 65_535
GZIP_HEADER: Final = b"\x1f\x8b\x08" + bytes(6) + b"\xff"
"""Deflate, no name, no time, no flags, an unknown system."""


class PackageError(GxError):
    """A file is no chaincode package of ours; the text names it and says why."""


class _Metadata(TypedDict):
    label: str


class _Connection(TypedDict):
    address: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerTls:
    """How peers and a chaincode server know each other, as PEM: mutual TLS."""

    root: str
    certificate: str
    key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChaincodePackage:
    """A package of one version; its server is at `address`."""

    version: str
    address: str
    content: bytes

    @property
    def label(self) -> str:
        """Return the label, which operators see in lists."""
        return label_of(self.version)

    @property
    def package_id(self) -> str:
        """Return the id that peers give it, and that the server registers under."""
        return f"{self.label}:{hashlib.sha256(self.content).hexdigest()}"

    @property
    def file_name(self) -> str:
        """Return a file name that no other package has."""
        return f"{self.label}-{self.package_id[-12:]}.tgz"

    def write(self, folder: Path) -> Path:
        """Write the package into a folder, made if absent, and return its path."""
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / self.file_name
        path.write_bytes(self.content)
        return path


def label_of(version: str) -> str:
    """Return the label of a version."""
    return f"{LABEL_PREFIX}_{version}"


def build_package(*, version: str, address: str, tls: ServerTls | None = None) -> ChaincodePackage:
    """Build the package of a version whose server peers reach at `address` (`host:port`).

    The same arguments always give the same bytes, on every machine.
    """
    code = _archive({"connection.json": _json(_connection(address, tls))})
    metadata = _json({"type": "ccaas", "label": label_of(version)})
    content = _archive({"code.tar.gz": code, "metadata.json": metadata})
    return ChaincodePackage(version=version, address=address, content=content)


def read_package(path: Path) -> ChaincodePackage:
    """Read a package that was built before, here or elsewhere.

    Raises:
        PackageError: it is not there, or is no package of ours.
    """
    try:
        content = path.read_bytes()
        files = _unpacked(content)
        metadata: _Metadata = json.loads(files["metadata.json"])
        connection: _Connection = json.loads(_unpacked(files["code.tar.gz"])["connection.json"])
        prefix, _, version = metadata["label"].partition("_")
        address = connection["address"]
    except OSError as error:
        raise PackageError(f"{path} cannot be read: {error.strerror}") from error
    except (tarfile.TarError, EOFError, zlib.error, ValueError, KeyError, TypeError) as error:
        raise PackageError(f"{path} is no chaincode-as-a-service package: {error}") from error
    if prefix != LABEL_PREFIX or not version:
        raise PackageError(f"{path} is labelled {metadata['label']}, not {LABEL_PREFIX}_VERSION")
    return ChaincodePackage(version=version, address=address, content=content)


def _unpacked(content: bytes) -> dict[str, bytes]:
    with tarfile.open(fileobj=io.BytesIO(content), mode="r:gz") as archive:
        found = [(member.name, archive.extractfile(member)) for member in archive]
        return {name: file.read() for name, file in found if file is not None}


def _connection(address: str, tls: ServerTls | None) -> dict[str, object]:
    connection: dict[str, object] = {
        "address": address,
        "dial_timeout": DIAL_TIMEOUT,
        "tls_required": tls is not None,
    }
    if tls is not None:
        connection |= {
            "client_auth_required": True,
            "root_cert": tls.root,
            "client_cert": tls.certificate,
            "client_key": tls.key,
        }
    return connection


def _json(value: Mapping[str, object]) -> bytes:
    return json.dumps(value, sort_keys=True).encode() + b"\n"


def _archive(files: Mapping[str, bytes]) -> bytes:
    """Pack files without times, owners or a compressor's whims."""
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name in sorted(files):
            entry = tarfile.TarInfo(name)
            entry.size = len(files[name])
            entry.mode = 0o644
            archive.addfile(entry, io.BytesIO(files[name]))
    return _gzip_stored(plain.getvalue())


def _gzip_stored(data: bytes) -> bytes:
    """Wrap data as gzip without compressing it: compressors differ between machines."""
    blocks = [data[start : start + BLOCK_BYTES] for start in range(0, len(data), BLOCK_BYTES)]
    body = b"".join(
        struct.pack("<BHH", number == len(blocks) - 1, len(block), len(block) ^ 0xFFFF) + block
        for number, block in enumerate(blocks)
    )
    return GZIP_HEADER + body + struct.pack("<II", zlib.crc32(data), len(data))
