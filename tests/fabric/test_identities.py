"""Client identities that carry a ledger role."""

import stat
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509.oid import NameOID

from gx.domain.roles import LedgerRole
from gx.fabric.identities import (
    AuthorityError,
    IssuedIdentity,
    issue_identity,
    read_authority,
    role_of,
    write_identity,
)
from tests.fabric.authority import NOW, FixedClock, write_authority


def issue(folder: Path, role: LedgerRole | None) -> tuple[x509.Certificate, IssuedIdentity]:
    """Issue an identity of a new authority in this folder."""
    write_authority(folder)
    identity = issue_identity(read_authority(folder), name="me", role=role, clock=FixedClock())
    return x509.load_pem_x509_certificate(identity.certificate), identity


@pytest.mark.parametrize("role", LedgerRole)
def test_the_certificate_carries_the_role(tmp_path: Path, role: LedgerRole) -> None:
    """A contract reads the role from the certificate, and from nowhere else."""
    certificate, _ = issue(tmp_path, role)

    assert role_of(certificate) == role.value


def test_without_a_role_there_are_no_attributes(tmp_path: Path) -> None:
    """An identity without a role is a client that contracts refuse."""
    certificate, _ = issue(tmp_path, None)

    assert role_of(certificate) is None


def test_attributes_are_written_as_fabrics_own_authority_writes_them(tmp_path: Path) -> None:
    """The extension holds bare JSON, not a DER string with JSON in it."""
    certificate, _ = issue(tmp_path, LedgerRole.ADMIN)
    oid = x509.ObjectIdentifier("1.2.3.4.5.6.7.8.1")
    extension = certificate.extensions.get_extension_for_oid(oid)

    assert isinstance(extension.value, x509.UnrecognizedExtension)
    assert extension.value.value == b'{"attrs":{"gxc_role":"gx_admin"}}'
    assert not extension.critical


def test_peers_take_it_for_a_client_of_the_authority(tmp_path: Path) -> None:
    """It is signed by the authority, points at its key, and has the unit `client`."""
    authority = write_authority(tmp_path)
    identity = issue_identity(
        read_authority(tmp_path), name="me", role=LedgerRole.ADMIN, clock=FixedClock()
    )
    certificate = x509.load_pem_x509_certificate(identity.certificate)
    extensions = certificate.extensions
    unit = certificate.subject.get_attributes_for_oid(NameOID.ORGANIZATIONAL_UNIT_NAME)

    certificate.verify_directly_issued_by(authority)
    assert [each.value for each in unit] == ["client"]
    assert not extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    assert (
        extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value.key_identifier
        == authority.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest
    )


def test_it_lives_as_long_as_its_authority(tmp_path: Path) -> None:
    """What a certificate signed is worthless once it has expired, so it outlives every queue."""
    authority = write_authority(tmp_path)
    clock = FixedClock(authority.not_valid_before_utc + timedelta(seconds=10))
    identity = issue_identity(read_authority(tmp_path), name="me", role=None, clock=clock)
    certificate = x509.load_pem_x509_certificate(identity.certificate)

    assert certificate.not_valid_after_utc == authority.not_valid_after_utc
    assert authority.not_valid_before_utc == certificate.not_valid_before_utc
    assert certificate.not_valid_before_utc < NOW


def test_the_key_is_its_own_and_private(tmp_path: Path) -> None:
    """Only the owner of the file can read the key, and it fits the certificate."""
    certificate, identity = issue(tmp_path / "ca", LedgerRole.ADMIN)
    write_identity(identity, tmp_path / "identity")
    path = tmp_path / "identity" / "key.pem"
    key = load_pem_private_key(path.read_bytes(), password=None)

    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    assert key.public_key() == certificate.public_key()


def test_a_missing_authority_is_named(tmp_path: Path) -> None:
    """The error says in which folder it was looked for."""
    with pytest.raises(AuthorityError, match=str(tmp_path)):
        read_authority(tmp_path)
