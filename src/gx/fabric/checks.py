"""What must be right about a Fabric network before clients are pointed at it, check by check.

Each check says what it looked at, whether that is as it must be, and if not, what to do.
"""

import socket
import ssl
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509.oid import NameOID

from gx.domain.clock import Clock
from gx.domain.roles import LedgerRole
from gx.fabric.identities import CLIENT_UNIT, role_of
from gx.ledger.fabric.profile import ConnectionProfile, IdentityFiles, Node

CONNECT_TIMEOUT_S: Final = 5.0
EXPIRY_WARNING: Final = timedelta(days=14)
GRPC: Final = ["h2"]


class Grade(StrEnum):
    """How a check ended."""

    GOOD = "good"
    WARNING = "warning"
    WRONG = "wrong"


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing that was looked at."""

    subject: str
    grade: Grade
    finding: str
    advice: str = ""


def check_profile(profile: ConnectionProfile, clock: Clock) -> Iterator[Check]:
    """Look at every node, certificate and identity that the profile names; takes seconds."""
    now = datetime.fromtimestamp(clock.now_ms() / 1_000, UTC)
    for node in (*profile.peers, *profile.orderers):
        yield from check_node(node, now)
    msps = {peer.msp_id for peer in profile.peers}
    for role, files in profile.identities.items():
        yield from check_identity(role, files, now)
        yield _check_msp(role, files.msp_id, msps)
    yield _check_roles(profile)


def check_node(node: Node, now: datetime) -> Iterator[Check]:
    """Look at whether a node answers, with a TLS certificate that clients will take."""
    subject = f"node {node.name}"
    host, _, port = node.endpoint.rpartition(":")
    try:
        context = ssl.create_default_context(cafile=str(node.tls_ca))
    except (OSError, ssl.SSLError) as error:
        advice = "put the root that signed the node's TLS certificate there, as PEM"
        yield _wrong(subject, f"{node.tls_ca} holds no TLS root ({error})", advice)
        return
    context.set_alpn_protocols(GRPC)
    # Fabric's own certificates lack extensions that later releases of Python insist on by default.
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    try:
        certificate = _certificate_of(host, int(port), node.server_name or host, context)
    except ssl.SSLCertVerificationError as error:
        yield _wrong(subject, f"its TLS certificate: {error.verify_message}", _tls_advice(error))
    except ssl.SSLError as error:
        yield _wrong(subject, f"{node.endpoint} speaks no TLS ({error.reason})", "is it the port?")
    except (OSError, ValueError) as error:
        advice = "is the node up, and the endpoint reachable from here?"
        yield _wrong(subject, f"{node.endpoint} does not answer ({error})", advice)
    else:
        names = ", ".join(_names_in(certificate))
        yield _good(subject, f"answers with a TLS certificate for {names}")
        yield _check_dates(f"TLS certificate of {node.name}", certificate, now)


def check_identity(role: LedgerRole, files: IdentityFiles, now: datetime) -> Iterator[Check]:
    """Look at an identity: that its files fit, its dates, its unit, its role."""
    subject = f"identity {role.value}"
    try:
        certificate = x509.load_pem_x509_certificate(files.certificate.read_bytes())
        key = load_pem_private_key(files.key.read_bytes(), password=None)
    except (OSError, ValueError, TypeError) as error:
        yield _wrong(
            subject, f"its files cannot be read: {error}", "see `identities` in the profile"
        )
        return
    if key.public_key() != certificate.public_key():
        advice = "put the key beside the certificate that it was made with"
        yield _wrong(subject, f"{files.key} is not the key of {files.certificate}", advice)
    else:
        yield _check_readable(subject, files.key)
    yield _check_dates(f"certificate of {role.value}", certificate, now)
    yield _check_role(subject, certificate, role)


def _certificate_of(host: str, port: int, name: str, context: ssl.SSLContext) -> x509.Certificate:
    """Do what a client does: connect, and take the certificate only for this name."""
    with (
        socket.create_connection((host, port), CONNECT_TIMEOUT_S) as plain,
        context.wrap_socket(plain, server_hostname=name) as wrapped,
    ):
        return x509.load_der_x509_certificate(wrapped.getpeercert(binary_form=True) or b"")


def _tls_advice(error: ssl.SSLCertVerificationError) -> str:
    message = error.verify_message
    if "ostname mismatch" in message or "IP address mismatch" in message:
        return "name it in `serverName` as the certificate does, or have the name added to it"
    if "expired" in message or "not yet valid" in message:
        return "renew it, or set this machine's clock"
    return "name the root that signed it in `tlsCa`"


def _names_in(certificate: x509.Certificate) -> Sequence[str]:
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return ()
    addresses = [str(each) for each in names.get_values_for_type(x509.IPAddress)]
    return (*names.get_values_for_type(x509.DNSName), *addresses)


def _check_dates(subject: str, certificate: x509.Certificate, now: datetime) -> Check:
    ends, begins = certificate.not_valid_after_utc, certificate.not_valid_before_utc
    until = ends.date().isoformat()
    if now < begins:
        return _wrong(subject, f"is not valid before {begins.isoformat()}", "is the clock right?")
    if now >= ends:
        return _wrong(subject, f"expired on {until}", "renew it; what it signed can never commit")
    if now >= ends - EXPIRY_WARNING:
        advice = "renew it now: commands that it has signed become worthless with it"
        return Check(
            subject=subject, grade=Grade.WARNING, finding=f"expires on {until}", advice=advice
        )
    return _good(subject, f"valid until {until}")


def _check_readable(subject: str, key: Path) -> Check:
    if key.stat().st_mode & 0o077:
        return Check(
            subject=subject,
            grade=Grade.WARNING,
            finding=f"others on this machine may read {key}",
            advice=f"chmod 600 {key}",
        )
    return _good(subject, "certificate and key belong together")


def _check_role(subject: str, certificate: x509.Certificate, role: LedgerRole) -> Check:
    units = [
        attribute.value
        for attribute in certificate.subject.get_attributes_for_oid(
            NameOID.ORGANIZATIONAL_UNIT_NAME
        )
    ]
    found = role_of(certificate)
    if CLIENT_UNIT not in units and "admin" not in units:
        advice = f"enrol it with OU={CLIENT_UNIT}: peers give no access to others"
        return _wrong(subject, f"has the units {units or 'of nobody'}", advice)
    if found != role.value:
        advice = f"enrol it with the attribute gxc_role={role.value}:ecert"
        return _wrong(subject, f"its certificate says gxc_role={found}", advice)
    return _good(subject, f"has the role {found}")


def _check_msp(role: LedgerRole, msp_id: str, msps: set[str]) -> Check:
    subject = f"identity {role.value}"
    if msp_id in msps:
        return _good(subject, f"belongs to {msp_id}, as a peer here does")
    return _wrong(
        subject,
        f"belongs to {msp_id}, but the peers to {', '.join(sorted(msps))}",
        "a gateway takes identities of its channel's organisations; is the id mistyped?",
    )


def _check_roles(profile: ConnectionProfile) -> Check:
    missing = [role.value for role in LedgerRole if role not in profile.identities]
    if not missing:
        return _good("roles", "there is an identity for each")
    advice = "add them: their commands wait until somebody can sign"
    return _wrong("roles", f"nobody signs for {', '.join(missing)}", advice)


def _good(subject: str, finding: str) -> Check:
    return Check(subject=subject, grade=Grade.GOOD, finding=finding)


def _wrong(subject: str, finding: str, advice: str) -> Check:
    return Check(subject=subject, grade=Grade.WRONG, finding=finding, advice=advice)
