"""Client identities with a ledger role in their certificate, as Fabric's own CA would issue them.

`cryptogen` writes no attributes, so we sign with the certificate authority that it made.
"""

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from gx.domain.clock import Clock
from gx.domain.errors import GxError
from gx.domain.roles import CERTIFICATE_ATTRIBUTE, LedgerRole

ATTRIBUTES_OID: Final = x509.ObjectIdentifier("1.2.3.4.5.6.7.8.1")
"""The extension that Fabric's CA keeps attributes in, as JSON."""

CLIENT_UNIT: Final = "client"
"""Without this organisational unit a peer refuses the identity: it would have no role in it."""

BACKDATING: Final = timedelta(minutes=5)  # for verifiers whose clock is behind


class AuthorityError(GxError):
    """A certificate authority cannot issue identities; the text names its folder."""


@dataclass(frozen=True, slots=True)
class Authority:
    """A certificate authority: who it is, and the key it signs with."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey


@dataclass(frozen=True, slots=True)
class IssuedIdentity:
    """A certificate and its private key, both as PEM."""

    certificate: bytes
    key: bytes


def read_authority(folder: Path) -> Authority:
    """Read the authority that `cryptogen` wrote: one certificate and `priv_sk`.

    Raises:
        AuthorityError: they are not there, or the key is not of the kind that Fabric uses.
    """
    try:
        (certificate_path,) = folder.glob("*-cert.pem")
        certificate = x509.load_pem_x509_certificate(certificate_path.read_bytes())
        key = serialization.load_pem_private_key((folder / "priv_sk").read_bytes(), password=None)
    except (OSError, ValueError) as error:
        raise AuthorityError(f"no certificate authority in {folder}: {error}") from error
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise AuthorityError(f"the key in {folder} is no ECDSA key")
    return Authority(certificate, key)


def issue_identity(
    authority: Authority, *, name: str, role: LedgerRole | None, clock: Clock
) -> IssuedIdentity:
    """Issue a client identity that is valid for as long as its authority.

    Commands may wait for days, and an expired certificate makes what it signed worthless.
    Without a role the certificate has no attributes.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    now = datetime.fromtimestamp(clock.now_ms() / 1_000, UTC)
    certificate = authority.certificate
    builder = (
        x509.CertificateBuilder()
        .subject_name(_subject(name))
        .issuer_name(certificate.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(max(now - BACKDATING, certificate.not_valid_before_utc))
        .not_valid_after(certificate.not_valid_after_utc)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_signature_usage(), critical=True)
        .add_extension(_authority_identifier(certificate), critical=False)
    )
    if role is not None:
        builder = builder.add_extension(_attributes(role), critical=False)
    return IssuedIdentity(
        certificate=builder.sign(authority.key, hashes.SHA256()).public_bytes(
            serialization.Encoding.PEM
        ),
        key=key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ),
    )


def write_identity(identity: IssuedIdentity, folder: Path) -> None:
    """Write `cert.pem` and `key.pem`; the key only its owner can read."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    key = folder / "key.pem"
    key.touch(mode=0o600)
    key.write_bytes(identity.key)
    (folder / "cert.pem").write_bytes(identity.certificate)


def role_of(certificate: x509.Certificate) -> str | None:
    """Return the ledger role in a certificate's attributes; None if it has none."""
    try:
        extension = certificate.extensions.get_extension_for_oid(ATTRIBUTES_OID).value
    except x509.ExtensionNotFound:
        return None
    if not isinstance(extension, x509.UnrecognizedExtension):
        return None
    try:
        attributes = json.loads(extension.value)["attrs"]
        role = attributes.get(CERTIFICATE_ATTRIBUTE)
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
    return role if isinstance(role, str) else None


def _subject(name: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, CLIENT_UNIT),
            x509.NameAttribute(NameOID.COMMON_NAME, name),
        ]
    )


def _signature_usage() -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=False,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )


def _authority_identifier(certificate: x509.Certificate) -> x509.AuthorityKeyIdentifier:
    """Point at the authority's own key identifier, which Fabric compares byte for byte."""
    try:
        identifier = certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier)
    except x509.ExtensionNotFound as error:
        raise AuthorityError("the authority's certificate has no subject key identifier") from error
    return x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier.value)


def _attributes(role: LedgerRole) -> x509.UnrecognizedExtension:
    attributes = json.dumps({"attrs": {CERTIFICATE_ATTRIBUTE: role.value}}, separators=(",", ":"))
    return x509.UnrecognizedExtension(ATTRIBUTES_OID, attributes.encode())
