"""From the certificate that signed a proposal to the caller whom the contracts know.

The peer has verified signature and certificate against its channel's MSPs before it calls the
chaincode; here they are only read. Fabric CA's attributes stand in a certificate extension as
JSON: `{"attrs": {"gxc_role": "gx_admin"}}`.
"""

from collections.abc import Collection
from functools import lru_cache
from typing import Final

import msgspec
from cryptography import x509
from cryptography.x509.oid import NameOID, ObjectIdentifier
from fabric_protos.msp.identities_pb2 import SerializedIdentity
from google.protobuf.message import DecodeError

from gx.chaincode.server.errors import CreatorError
from gx.chaincode.stub import Caller
from gx.domain.roles import CERTIFICATE_ATTRIBUTE, LedgerRole

ATTRIBUTES_OID: Final = ObjectIdentifier("1.2.3.4.5.6.7.8.1")
ADMIN_UNIT: Final = "admin"
"""The organizational unit that cryptogen gives to administrators."""

_CACHED_MAX: Final = 4_096


class _Attributes(msgspec.Struct, frozen=True):
    attrs: dict[str, str] = msgspec.field(default_factory=dict)


class CallerReader:
    """Reads creators, each certificate once. Any number of threads may use one reader.

    A certificate without the role's attribute has no role, except that the unit `admin` of an
    MSP in `admin_ou_msps` stands for a super admin: cryptogen's certificates have no attributes.
    """

    def __init__(self, *, admin_ou_msps: Collection[str] = ()) -> None:
        self._admin_ou_msps: Final = frozenset(admin_ou_msps)
        self.read: Final = lru_cache(maxsize=_CACHED_MAX)(self._read)

    def _read(self, creator: bytes) -> Caller:
        """Tell who signed.

        Raises:
            CreatorError: the creator is no identity with an X.509 certificate.
        """
        try:
            signer = SerializedIdentity.FromString(creator)
            certificate = x509.load_pem_x509_certificate(signer.id_bytes)
            role = self._role_of(certificate, signer.mspid)
        except (DecodeError, ValueError) as error:
            raise CreatorError("the proposal's creator has no X.509 certificate") from error
        return Caller(role=role, identity=_name_of(certificate, signer.mspid))

    def _role_of(self, certificate: x509.Certificate, msp_id: str) -> LedgerRole | None:
        attributes = _attributes_of(certificate)
        named = attributes.get(CERTIFICATE_ATTRIBUTE)
        if named is not None:
            return LedgerRole(named) if named in set(LedgerRole) else None
        if msp_id in self._admin_ou_msps and ADMIN_UNIT in _units_of(certificate):
            return LedgerRole.SUPER_ADMIN
        return None


def _attributes_of(certificate: x509.Certificate) -> dict[str, str]:
    try:
        extension = certificate.extensions.get_extension_for_oid(ATTRIBUTES_OID).value
    except x509.ExtensionNotFound:
        return {}
    # A certificate has an extension once at most, and nobody but us reads this one.
    if not isinstance(extension, x509.UnrecognizedExtension):
        raise CreatorError("the certificate's attributes cannot be read")
    try:
        return msgspec.json.decode(extension.value, type=_Attributes).attrs
    except msgspec.DecodeError as error:
        raise CreatorError("the certificate's attributes cannot be read") from error


def _units_of(certificate: x509.Certificate) -> set[str | bytes]:
    units = certificate.subject.get_attributes_for_oid(NameOID.ORGANIZATIONAL_UNIT_NAME)
    return {unit.value for unit in units}


def _name_of(certificate: x509.Certificate, msp_id: str) -> str:
    """Name the signer for ever: the same after a renewal, another in another organisation."""
    subject, issuer = certificate.subject, certificate.issuer
    return f"x509::{msp_id}::{subject.rfc4514_string()}::{issuer.rfc4514_string()}"
