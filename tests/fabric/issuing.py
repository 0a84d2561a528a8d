"""Certificates from a native network's own authorities that end when a test wants them to."""

import datetime as dt
import json
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from gx.domain.roles import CERTIFICATE_ATTRIBUTE, LedgerRole
from gx.fabric.identities import ATTRIBUTES_OID, CLIENT_UNIT, Authority, read_authority
from gx.ledger.fabric.profile import IdentityFiles


def authority_of(fabric: Path, organisation: str) -> Authority:
    """Return an organisation's own authority; named by its folder under `crypto/`."""
    return read_authority(fabric / "crypto" / organisation / "ca")


def issue(
    authority: Authority,
    files: IdentityFiles,
    *,
    role: LedgerRole = LedgerRole.PARTNER_API,
    ends: dt.datetime | None = None,
) -> IdentityFiles:
    """Write a new client's certificate and key; it is valid until then, or as long as its issuer.

    The folder of the files is made if it is not there.
    """
    issuer = authority.certificate
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = (
        x509.CertificateBuilder()
        .subject_name(_subject(role))
        .issuer_name(issuer.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(issuer.not_valid_before_utc)
        .not_valid_after(ends or issuer.not_valid_after_utc)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_issued_by(issuer), critical=False)
        .add_extension(_attributes(role), critical=False)
        .sign(authority.key, hashes.SHA256())
    )
    pem, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    files.certificate.parent.mkdir(parents=True, exist_ok=True)
    files.key.write_bytes(key.private_bytes(pem, form, serialization.NoEncryption()))
    files.certificate.write_bytes(certificate.public_bytes(pem))
    return files


def identity_in(folder: Path, msp_id: str) -> IdentityFiles:
    """Name an identity's two files in a folder."""
    return IdentityFiles(msp_id=msp_id, certificate=folder / "cert.pem", key=folder / "key.pem")


def _subject(role: LedgerRole) -> x509.Name:
    unit = x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, CLIENT_UNIT)
    return x509.Name([unit, x509.NameAttribute(NameOID.COMMON_NAME, role.value)])


def _issued_by(issuer: x509.Certificate) -> x509.AuthorityKeyIdentifier:
    identifier = issuer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    return x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier)


def _attributes(role: LedgerRole) -> x509.UnrecognizedExtension:
    attributes = json.dumps({"attrs": {CERTIFICATE_ATTRIBUTE: role.value}})
    return x509.UnrecognizedExtension(ATTRIBUTES_OID, attributes.encode())
