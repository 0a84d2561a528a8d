"""Who signs: low signatures, and certificates that are renewed under a running process."""

import datetime as dt
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from fabric_protos.msp.identities_pb2 import SerializedIdentity

from gx.domain.roles import LedgerRole
from gx.ledger.fabric.identities import Identities, IdentityError, load_signer
from gx.ledger.fabric.profile import IdentityFiles
from tests.ledger.fabric.certificates import Authority, write_pair

ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
ROLE = LedgerRole.PARTNER_API
SOON = dt.datetime(2050, 1, 1, tzinfo=dt.UTC)
LATER = dt.datetime(2051, 1, 1, tzinfo=dt.UTC)


def enrol(
    folder: Path, authority: Authority, not_after: dt.datetime, name: str = "partner"
) -> IdentityFiles:
    """Write the files of an identity, over those that were there."""
    pair = authority.identity(name, ROLE, not_after=not_after)
    certificate, key = write_pair(folder, "partner", pair)
    return IdentityFiles(msp_id="Org1MSP", certificate=certificate, key=key)


def test_every_signature_is_low_and_verifies(tmp_path: Path) -> None:
    """Fabric refuses the other of the two signatures that ECDSA has for a message."""
    files = enrol(tmp_path, Authority("ca"), SOON)
    signer = load_signer(files)
    public = x509.load_pem_x509_certificate(files.certificate.read_bytes()).public_key()
    assert isinstance(public, ec.EllipticCurvePublicKey)

    for number in range(64):
        message = number.to_bytes(8, "big")
        signature = signer.sign(message)

        assert decode_dss_signature(signature)[1] <= ORDER // 2
        public.verify(signature, message, ec.ECDSA(hashes.SHA256()))


def test_the_creator_is_msp_and_certificate(tmp_path: Path) -> None:
    """So it introduces itself in every message, byte for byte as the file has it."""
    files = enrol(tmp_path, Authority("ca"), SOON)

    creator = SerializedIdentity.FromString(load_signer(files).creator)

    assert creator.mspid == "Org1MSP"
    assert creator.id_bytes == files.certificate.read_bytes()


def test_a_renewed_certificate_is_used_without_a_restart(tmp_path: Path) -> None:
    """The next signature is the new one's, and its end is told."""
    told: list[tuple[LedgerRole, float]] = []
    authority = Authority("ca")
    files = enrol(tmp_path, authority, SOON)
    identities = Identities({ROLE: files}, on_loaded=lambda role, end: told.append((role, end)))
    before = identities.of(ROLE)

    enrol(tmp_path, authority, LATER)
    after = identities.of(ROLE)

    assert after.creator != before.creator
    assert told == [(ROLE, SOON.timestamp()), (ROLE, LATER.timestamp())]


def test_a_half_renewed_identity_goes_on_as_the_old_one(tmp_path: Path) -> None:
    """Certificate and key are two files: between the two writes they do not fit together."""
    authority = Authority("ca")
    files = enrol(tmp_path, authority, SOON)
    identities = Identities({ROLE: files})
    before = identities.of(ROLE)
    old_key = files.key.read_bytes()
    enrol(tmp_path, authority, LATER)
    new_key = files.key.read_bytes()

    files.key.write_bytes(old_key)
    assert identities.of(ROLE).creator == before.creator
    files.key.write_bytes(new_key)
    assert identities.of(ROLE).not_after_s == LATER.timestamp()


def test_files_that_vanish_do_not_end_a_running_identity(tmp_path: Path) -> None:
    """A secret that is being mounted anew is away for a moment."""
    files = enrol(tmp_path, Authority("ca"), SOON)
    identities = Identities({ROLE: files})

    files.certificate.unlink()

    assert identities.of(ROLE).not_after_s == SOON.timestamp()


def test_an_identity_that_nobody_uses_is_renewed_too(tmp_path: Path) -> None:
    """Else its alert would go on about a certificate that was replaced long ago."""
    told: list[float] = []
    authority = Authority("ca")
    identities = Identities(
        {ROLE: enrol(tmp_path, authority, SOON)}, on_loaded=lambda _role, end: told.append(end)
    )

    enrol(tmp_path, authority, LATER)
    identities.refresh()

    assert told[-1] == LATER.timestamp()


def test_a_key_of_another_certificate_is_refused(tmp_path: Path) -> None:
    """It says so at the start, and not with every signature that nobody accepts."""
    authority = Authority("ca")
    files = enrol(tmp_path / "one", authority, SOON)
    other = enrol(tmp_path / "two", authority, SOON)
    files.key.write_bytes(other.key.read_bytes())

    with pytest.raises(IdentityError, match="is not the key of"):
        Identities({ROLE: files})


@pytest.mark.parametrize("broken", ["certificate", "key"])
def test_a_file_that_is_no_pem_is_named(tmp_path: Path, broken: str) -> None:
    """The text names the file."""
    files = enrol(tmp_path, Authority("ca"), SOON)
    path = files.certificate if broken == "certificate" else files.key
    path.write_bytes(b"nothing of the kind")

    with pytest.raises(IdentityError, match=path.name):
        load_signer(files)


def test_a_role_without_identity_is_named(tmp_path: Path) -> None:
    """Who lacks an identity is told where to add it."""
    identities = Identities({ROLE: enrol(tmp_path, Authority("ca"), SOON)})

    with pytest.raises(IdentityError, match=r"gx_super_admin.*identities"):
        identities.of(LedgerRole.SUPER_ADMIN)
