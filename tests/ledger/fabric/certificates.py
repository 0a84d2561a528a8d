"""Certificates for tests: an authority, TLS servers, and identities with a ledger role."""

import datetime as dt
import json
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from gx.chaincode.server.identities import ATTRIBUTES_OID
from gx.domain.roles import CERTIFICATE_ATTRIBUTE, LedgerRole

EPOCH = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
FAR_FUTURE = dt.datetime(2100, 1, 1, tzinfo=dt.UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """A certificate and its key, as PEM."""

    certificate: bytes
    key: bytes


class Authority:
    """Signs certificates, as Fabric CA does."""

    def __init__(self, name: str) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _subject(name, unit=None)
        builder = _builder(self._name, self._name, self._key.public_key(), FAR_FUTURE)
        basic = x509.BasicConstraints(ca=True, path_length=None)
        certificate = builder.add_extension(basic, critical=True).sign(self._key, hashes.SHA256())
        self.pem = certificate.public_bytes(Encoding.PEM)

    def server(self, host: str) -> Pair:
        """Make a TLS server's certificate."""
        key = ec.generate_private_key(ec.SECP256R1())
        names = x509.SubjectAlternativeName([x509.DNSName(host)])
        subject = _subject(host, unit=None)
        builder = _builder(subject, self._name, key.public_key(), FAR_FUTURE)
        return self._signed(builder.add_extension(names, critical=False), key)

    def identity(
        self,
        name: str,
        role: LedgerRole | None,
        *,
        not_after: dt.datetime = FAR_FUTURE,
        key: ec.EllipticCurvePrivateKey | None = None,
    ) -> Pair:
        """Make a client's certificate, which carries its role as Fabric CA writes it."""
        key = key or ec.generate_private_key(ec.SECP256R1())
        builder = _builder(_subject(name, "client"), self._name, key.public_key(), not_after)
        if role is not None:
            attributes = json.dumps({"attrs": {CERTIFICATE_ATTRIBUTE: role.value}}).encode()
            extension = x509.UnrecognizedExtension(ATTRIBUTES_OID, attributes)
            builder = builder.add_extension(extension, critical=False)
        return self._signed(builder, key)

    def _signed(self, builder: x509.CertificateBuilder, key: ec.EllipticCurvePrivateKey) -> Pair:
        certificate = builder.sign(self._key, hashes.SHA256())
        return Pair(
            certificate=certificate.public_bytes(Encoding.PEM),
            key=key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
        )


def write_pair(folder: Path, name: str, pair: Pair) -> tuple[Path, Path]:
    """Write certificate and key beside each other; return both paths."""
    folder.mkdir(parents=True, exist_ok=True)
    certificate, key = folder / f"{name}.pem", folder / f"{name}.key"
    certificate.write_bytes(pair.certificate)
    key.write_bytes(pair.key)
    return certificate, key


def _subject(name: str, unit: str | None) -> x509.Name:
    parts = [x509.NameAttribute(NameOID.COMMON_NAME, name)]
    if unit is not None:
        parts.append(x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, unit))
    return x509.Name(parts)


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePublicKey,
    not_after: dt.datetime,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(EPOCH)
        .not_valid_after(not_after)
    )
