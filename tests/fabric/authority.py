"""A certificate authority like the one that `cryptogen` writes."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

NOW: Final = datetime(2026, 11, 21, 12, tzinfo=UTC)


class FixedClock:
    """Stands still at `NOW`, or where it was put."""

    def __init__(self, at: datetime = NOW) -> None:
        self.at = at

    def now_ms(self) -> int:
        """See `gx.domain.clock.Clock`."""
        return int(self.at.timestamp() * 1_000)


def write_authority(folder: Path, *, name: str = "ca.org1.gx.local") -> x509.Certificate:
    """Write `<name>-cert.pem` and `priv_sk`, valid for ten years around `NOW`."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW - timedelta(days=1))
        .not_valid_after(NOW + timedelta(days=3650))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}-cert.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (folder / "priv_sk").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return certificate
