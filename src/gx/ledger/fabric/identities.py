"""Who signs: an identity for each ledger role, read from files and read again when they change.

A renewed certificate is used from the next signature on. What was signed before stays as it is:
an envelope carries the certificate that signed it, and is good for as long as that one is valid.
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import structlog
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import (
    Prehashed,
    decode_dss_signature,
    encode_dss_signature,
)
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from fabric_protos.msp.identities_pb2 import SerializedIdentity

from gx.domain.errors import GxError
from gx.domain.roles import LedgerRole
from gx.ledger.fabric.profile import IdentityFiles

_log: Final = structlog.get_logger(__name__)

# The order of P-256's base point (SEC 2). Fabric refuses a signature whose s is above half of it.
_ORDER: Final = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
_SHA256: Final = ec.ECDSA(Prehashed(hashes.SHA256()))


class IdentityError(GxError):
    """An identity's files cannot be used; the text names the file and what is wrong."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Signer:
    """One certificate with its key. `creator` is how it introduces itself in every message."""

    creator: bytes
    not_after_s: float
    _key: ec.EllipticCurvePrivateKey

    def sign(self, message: bytes) -> bytes:
        """Sign a message: ECDSA over its SHA-256, with the lower of the two possible s."""
        r, s = decode_dss_signature(self._key.sign(hashlib.sha256(message).digest(), _SHA256))
        return encode_dss_signature(r, min(s, _ORDER - s))


def load_signer(files: IdentityFiles) -> Signer:
    """Read a certificate and its key.

    Raises:
        IdentityError: a file is missing or unusable, or they do not belong together.
    """
    pem = _read(files.certificate)
    certificate = _parse_certificate(pem, files.certificate)
    key = _parse_key(files.key)
    if certificate.public_key() != key.public_key():
        raise IdentityError(f"{files.key} is not the key of the certificate {files.certificate}")
    creator = SerializedIdentity(mspid=files.msp_id, id_bytes=pem).SerializeToString()
    return Signer(
        creator=creator, not_after_s=certificate.not_valid_after_utc.timestamp(), _key=key
    )


class Identities:
    """The identities of a profile. `on_loaded` hears the role and expiry of each that is read.

    Files are looked at again with each use, which costs two `stat` calls: no restart is needed
    after a renewal. While the new files do not fit together the old identity goes on signing.
    """

    def __init__(
        self,
        files: Mapping[LedgerRole, IdentityFiles],
        *,
        on_loaded: Callable[[LedgerRole, float], None] = lambda _role, _not_after_s: None,
    ) -> None:
        """Read every identity.

        Raises:
            IdentityError: one of them cannot be used.
        """
        self._files: Final = files
        self._on_loaded: Final = on_loaded
        self._signers: Final[dict[LedgerRole, Signer]] = {}
        self._seen: Final[dict[LedgerRole, tuple[_Stamp, _Stamp]]] = {}
        for role, named in files.items():
            self._seen[role] = (_stamp(named.certificate), _stamp(named.key))
            self._load(role)

    def of(self, role: LedgerRole) -> Signer:
        """Return who signs for a role.

        Raises:
            IdentityError: the profile has no identity for it.
        """
        files = self._files.get(role)
        if files is None:
            raise IdentityError(
                f"the connection profile has no identity for {role}: add one to its `identities`"
            )
        self._reload_if_changed(role, files)
        return self._signers[role]

    def observer(self) -> Signer:
        """Return who asks where any reader of the channel may: the least of those there are."""
        role = LedgerRole.PARTNER_API
        return self.of(role if role in self._files else next(iter(self._files)))

    def refresh(self) -> None:
        """Read again whatever was renewed, also of roles that nobody has signed for lately."""
        for role, files in self._files.items():
            self._reload_if_changed(role, files)

    def _reload_if_changed(self, role: LedgerRole, files: IdentityFiles) -> None:
        try:
            stamps = (_stamp(files.certificate), _stamp(files.key))
            if stamps == self._seen[role]:
                return
            self._load(role)
        except IdentityError as error:
            _log.warning("identity_not_renewed", role=role, error=error)
            return
        self._seen[role] = stamps
        _log.info("identity_renewed", role=role, not_after_s=self._signers[role].not_after_s)

    def _load(self, role: LedgerRole) -> None:
        signer = load_signer(self._files[role])
        self._signers[role] = signer
        self._on_loaded(role, signer.not_after_s)


_Stamp = tuple[int, int, int]


def _stamp(path: Path) -> _Stamp:
    """Tell one version of a file from another, also where a mount swaps a symbolic link."""
    try:
        found = path.stat()
    except OSError as error:
        raise IdentityError(f"{path} cannot be read: {error.strerror}") from error
    return found.st_ino, found.st_mtime_ns, found.st_size


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise IdentityError(f"{path} cannot be read: {error.strerror}") from error


def _parse_certificate(pem: bytes, path: Path) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificate(pem)
    except ValueError as error:
        raise IdentityError(f"{path} holds no PEM certificate") from error


def _parse_key(path: Path) -> ec.EllipticCurvePrivateKey:
    try:
        key = load_pem_private_key(_read(path), password=None)
    except (ValueError, TypeError) as error:
        raise IdentityError(f"{path} holds no unencrypted PEM private key") from error
    if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
        raise IdentityError(f"{path} holds no ECDSA key on P-256, the only kind that is supported")
    return key
