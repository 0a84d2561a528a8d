"""A certificate authority like the one that `cryptogen` writes."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from gx.runtime.clock import SystemClock

NOW: Final = datetime(2026, 11, 21, 12, tzinfo=UTC)


def real_now() -> datetime:
    """Tell the machine's time, which TLS is checked against."""
    return datetime.fromtimestamp(SystemClock().now_ms() / 1_000, UTC)


class FixedClock:
    """Stands still at `NOW`, or where it was put."""

    def __init__(self, at: datetime = NOW) -> None:
        self.at = at

    def now_ms(self) -> int:
        """See `gx.domain.clock.Clock`."""
        return int(self.at.timestamp() * 1_000)


def write_authority(
    folder: Path, *, name: str = "ca.org1.gx.local", now: datetime = NOW
) -> x509.Certificate:
    """Write `<name>-cert.pem` and `priv_sk`, valid for ten years from the day before `now`."""
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = (
        _builder(name, name, key.public_key(), now=now, lasts=timedelta(days=3650))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(_signing_usage(), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    _write(folder / f"{name}-cert.pem", certificate.public_bytes(serialization.Encoding.PEM))
    _write(folder / "priv_sk", _pem(key))
    return certificate


def write_server(
    authority: Path,
    folder: Path,
    *,
    name: str,
    hosts: Sequence[str] = ("localhost", "127.0.0.1"),
    days: int = 365,
    now: datetime | None = None,
) -> None:
    """Write a node's `server.crt`, `server.key` and `ca.crt`, with an authority of its own."""
    at = now or real_now()
    root = write_authority(authority, name=f"tls{name}", now=at)
    root_key = serialization.load_pem_private_key((authority / "priv_sk").read_bytes(), None)
    assert isinstance(root_key, ec.EllipticCurvePrivateKey)
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = (
        _builder(name, f"tls{name}", key.public_key(), now=at, lasts=timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName([*_names(name, hosts)]), critical=False)
        .sign(root_key, hashes.SHA256())
    )
    _write(folder / "server.crt", certificate.public_bytes(serialization.Encoding.PEM))
    _write(folder / "server.key", _pem(key))
    _write(folder / "ca.crt", root.public_bytes(serialization.Encoding.PEM))


def _builder(
    subject: str, issuer: str, key: ec.EllipticCurvePublicKey, *, now: datetime, lasts: timedelta
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + lasts)
    )


def _names(name: str, hosts: Sequence[str]) -> Iterator[x509.GeneralName]:
    yield x509.DNSName(name)
    for host in hosts:
        try:
            yield x509.IPAddress(ip_address(host))
        except ValueError:
            yield x509.DNSName(host)


def _signing_usage() -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=True,
        crl_sign=True,
        encipher_only=False,
        decipher_only=False,
    )


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
