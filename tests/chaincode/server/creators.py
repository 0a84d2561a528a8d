"""Certificates as Fabric's CAs issue them, and the creators of proposals that carry them."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from fabric_protos.msp.identities_pb2 import SerializedIdentity

from gx.chaincode.server.identities import ATTRIBUTES_OID
from gx.domain.roles import CERTIFICATE_ATTRIBUTE, LedgerRole

START = datetime(2026, 1, 1, tzinfo=UTC)
END = START + timedelta(days=36_500)


@dataclass(frozen=True)
class Issued:
    """A certificate with its key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @property
    def certificate_pem(self) -> bytes:
        """The certificate as a file holds it."""
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    @property
    def key_pem(self) -> bytes:
        """The key as a file holds it."""
        return self.key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )


def a_name(common_name: str, *units: str) -> x509.Name:
    """Make a subject like cryptogen's."""
    return x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "US"),
            *(x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, unit) for unit in units),
            x509.NameAttribute(NameOID.COMMON_NAME, common_name),
        ]
    )


@cache
def an_authority(name: str = "ca.org1") -> Issued:
    """Make an organisation's CA."""
    key = ec.generate_private_key(ec.SECP256R1())
    builder = _builder(a_name(name), a_name(name), key)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    return Issued(builder.sign(key, hashes.SHA256()), key)


def a_certificate(
    common_name: str,
    *units: str,
    attributes: bytes | None = None,
    authority: Issued | None = None,
    host: str | None = None,
) -> Issued:
    """Issue a certificate; `attributes` is the content of Fabric CA's extension."""
    authority = authority or an_authority()
    key = ec.generate_private_key(ec.SECP256R1())
    builder = _builder(a_name(common_name, *units), authority.certificate.subject, key)
    if attributes is not None:
        extension = x509.UnrecognizedExtension(ATTRIBUTES_OID, attributes)
        builder = builder.add_extension(extension, critical=False)
    if host is not None:
        names = x509.SubjectAlternativeName([x509.DNSName(host)])
        builder = builder.add_extension(names, critical=False)
    return Issued(builder.sign(authority.key, hashes.SHA256()), key)


def attributes_of(**values: str) -> bytes:
    """Write attributes as Fabric CA does."""
    return json.dumps({"attrs": values}).encode()


def creator_of(issued: Issued, msp_id: str = "Org1MSP") -> bytes:
    """Serialize an identity as a proposal's header carries it."""
    return SerializedIdentity(mspid=msp_id, id_bytes=issued.certificate_pem).SerializeToString()


@cache
def a_creator(role: LedgerRole = LedgerRole.SUPER_ADMIN) -> bytes:
    """Make a client whose certificate names a role."""
    attributes = attributes_of(**{CERTIFICATE_ATTRIBUTE: role.value})
    return creator_of(a_certificate(f"client.{role}", "client", attributes=attributes))


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(START)
        .not_valid_after(END)
    )
