"""Who a certificate says its holder is."""

from collections.abc import Sequence

import pytest

from gx.chaincode.server.errors import CreatorError
from gx.chaincode.server.identities import CallerReader
from gx.domain.roles import LedgerRole
from tests.chaincode.server.creators import (
    a_certificate,
    an_authority,
    attributes_of,
    creator_of,
)


def role_of(
    *units: str,
    attributes: bytes | None = None,
    msp_id: str = "Org1MSP",
    admin_ou_msps: Sequence[str] = (),
) -> LedgerRole | None:
    """Read the role out of a certificate of these units and attributes."""
    certificate = a_certificate("someone", *units, attributes=attributes)
    return CallerReader(admin_ou_msps=admin_ou_msps).read(creator_of(certificate, msp_id)).role


@pytest.mark.parametrize("role", LedgerRole)
def test_the_role_is_an_attribute_of_the_certificate(role: LedgerRole) -> None:
    """Fabric CA's extension holds it as JSON, among other attributes."""
    attributes = attributes_of(gxc_role=role.value, **{"hf.Affiliation": "org1"})

    assert role_of("client", attributes=attributes) is role


@pytest.mark.parametrize(
    "attributes",
    [None, attributes_of(), attributes_of(gxc_role="root"), attributes_of(role="gx_admin"), b"{}"],
    ids=["no extension", "none", "an unknown role", "another name", "an empty object"],
)
def test_without_a_known_role_there_is_none(attributes: bytes | None) -> None:
    """Nobody gets a role by a word that this system does not know."""
    assert role_of("client", attributes=attributes) is None


def test_the_admin_unit_counts_only_for_listed_organisations() -> None:
    """Cryptogen's administrators are super admins where the deployment says so, nowhere else."""
    assert role_of("admin") is None
    assert role_of("admin", admin_ou_msps=["Org2MSP"]) is None
    assert role_of("admin", admin_ou_msps=["Org1MSP"]) is LedgerRole.SUPER_ADMIN
    assert role_of("client", "admin", admin_ou_msps=["Org1MSP"]) is LedgerRole.SUPER_ADMIN


@pytest.mark.parametrize("unit", ["client", "administrator", "admin ", "Admin", "OU=admin"])
def test_the_admin_unit_is_compared_as_a_whole(unit: str) -> None:
    """A unit that merely contains the word, or a name that does, makes no administrator."""
    certificate = a_certificate("admin,OU=admin", unit)
    reader = CallerReader(admin_ou_msps=["Org1MSP"])

    assert reader.read(creator_of(certificate)).role is None


def test_a_role_beats_the_admin_unit() -> None:
    """Who was given less by attribute is not raised by the unit; an unknown role is none."""
    partner, unknown = attributes_of(gxc_role="gx_partner_api"), attributes_of(gxc_role="root")

    assert role_of("admin", attributes=partner, admin_ou_msps=["Org1MSP"]) is (
        LedgerRole.PARTNER_API
    )
    assert role_of("admin", attributes=unknown, admin_ou_msps=["Org1MSP"]) is None


def test_a_name_lasts_over_renewals_and_is_one_organisations_own() -> None:
    """The name is made of organisation, subject and issuer; no other MSP can have the same."""
    reader = CallerReader()
    first = reader.read(creator_of(a_certificate("alice", "client"))).identity
    renewed = reader.read(creator_of(a_certificate("alice", "client"))).identity
    elsewhere = reader.read(creator_of(a_certificate("alice", "client"), "Org2MSP")).identity
    foreign = reader.read(
        creator_of(a_certificate("alice", "client", authority=an_authority("ca.org2")))
    ).identity

    assert first == "x509::Org1MSP::CN=alice,OU=client,C=US::CN=ca.org1,C=US"
    assert first == renewed
    assert len({first, elsewhere, foreign}) == 3


@pytest.mark.parametrize(
    "creator",
    [
        b"",
        b"\xff\xff",
        b"\n\x07Org1MSP",
        b"\n\x07Org1MSP\x12\x0bnot a PEM..",
        creator_of(a_certificate("x", "client", attributes=b"not JSON")),
        creator_of(a_certificate("x", "client", attributes=b'{"attrs": {"gxc_role": 1}}')),
    ],
    ids=["nothing", "garbage", "no certificate", "no PEM", "attributes garbled", "no text"],
)
def test_what_cannot_be_read_is_nobody(creator: bytes) -> None:
    """The transaction fails; it is not executed for an unknown caller."""
    with pytest.raises(CreatorError):
        CallerReader().read(creator)


def test_a_certificate_is_parsed_once() -> None:
    """The same creator gives the same caller, from the cache."""
    reader = CallerReader()
    creator = creator_of(a_certificate("alice", "client"))

    assert reader.read(creator) is reader.read(creator)
    assert reader.read.cache_info().hits == 1
