"""The preflight on Fabric's own nodes: each thing that can be wrong is named, and nothing else."""

import asyncio
import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest
from msgspec.structs import replace

from gx.domain.roles import LedgerRole
from gx.fabric.administration import load_administration
from gx.fabric.checks import Grade
from gx.fabric.lifecycle import Definition
from gx.fabric.peer_cli import PeerLifecycle
from gx.fabric.release import Program
from gx.ledger.fabric.failures import Cause
from gx.ledger.fabric.profile import ConnectionProfile
from gx.runtime.fabric_preflight import ADVICE, preflight
from tests.fabric.authority import real_now
from tests.fabric.issuing import authority_of, identity_in, issue
from tests.fabric.native import NativeNetwork, native_network
from tests.fabric.programs import require_programs
from tests.ledger.fabric.certificates import Authority as OtherAuthority

ORG1: Final = "peerOrganizations/org1.gx.local"
PARTNER: Final = LedgerRole.PARTNER_API
ADMIN: Final = LedgerRole.ADMIN

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(400),
    pytest.mark.xdist_group("native-network"),
]


@dataclass(frozen=True, slots=True)
class Site:
    """A network, and a folder in which a wrong profile can be written."""

    network: NativeNetwork
    folder: Path

    def faults(self, profile: ConnectionProfile, administration: Path | None = None) -> list[str]:
        """Return what the preflight says is wrong, or to be warned of."""
        path = self.folder / "profile.json"
        path.write_bytes(profile.encode())
        named = administration or self.network.folder / "fabric" / "administration.json"
        checks = asyncio.run(preflight(path, named))
        return [
            f"{each.grade} {each.subject}: {each.finding} -> {each.advice}"
            for each in checks
            if each.grade is not Grade.GOOD
        ]


Change = Callable[[ConnectionProfile, Site], ConnectionProfile]


@pytest.fixture(scope="module")
def native(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NativeNetwork]:
    """One network for all the tests; the last ones change what is committed."""
    folder: Path = tmp_path_factory.mktemp("preflight")
    with native_network(folder, require_programs()) as running:
        yield running


@pytest.fixture
def site(native: NativeNetwork, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    """The network, with the preflight's own files kept in the test's folder."""
    monkeypatch.setenv("GX_DATA_DIR", str(tmp_path))
    return Site(native, tmp_path)


def for_another_host(profile: ConnectionProfile, _site: Site) -> ConnectionProfile:
    """Expect a name that is not in the nodes' certificates."""
    peers = tuple(replace(peer, server_name="peer0.elsewhere") for peer in profile.peers)
    return replace(profile, peers=peers)


def of_an_unknown_msp(profile: ConnectionProfile, _site: Site) -> ConnectionProfile:
    """Mistype the organisation."""
    files = {role: replace(each, msp_id="Org9MSP") for role, each in profile.identities.items()}
    return replace(profile, identities=files)


def of_the_other_msp(profile: ConnectionProfile, _site: Site) -> ConnectionProfile:
    """Name the wrong one of the channel's organisations."""
    files = {role: replace(each, msp_id="Org2MSP") for role, each in profile.identities.items()}
    return replace(profile, identities=files)


def with_an_expired_certificate(profile: ConnectionProfile, site: Site) -> ConnectionProfile:
    """Sign as the partner with what ended a second ago."""
    authority = authority_of(site.network.folder / "fabric", ORG1)
    ends = real_now() - dt.timedelta(seconds=1)
    files = issue(authority, identity_in(site.folder / "ended", "Org1MSP"), role=PARTNER, ends=ends)
    return replace(profile, identities={**profile.identities, PARTNER: files})


def with_a_strangers_certificate(profile: ConnectionProfile, site: Site) -> ConnectionProfile:
    """Sign as the administrator with what another authority has issued."""
    stranger = OtherAuthority("ca.elsewhere").identity("stranger", ADMIN)
    files = identity_in(site.folder, "Org1MSP")
    files.certificate.write_bytes(stranger.certificate)
    files.key.write_bytes(stranger.key)
    return replace(profile, identities={**profile.identities, ADMIN: files})


def without_a_role(profile: ConnectionProfile, _site: Site) -> ConnectionProfile:
    """Have nobody who signs for super admins."""
    return replace(
        profile, identities={role: profile.identities[role] for role in (PARTNER, ADMIN)}
    )


def with_anothers_role(profile: ConnectionProfile, _site: Site) -> ConnectionProfile:
    """Sign for the administrator with the partner's certificate."""
    return replace(profile, identities={**profile.identities, ADMIN: profile.identities[PARTNER]})


def on_another_channel(profile: ConnectionProfile, _site: Site) -> ConnectionProfile:
    """Name a channel that there is not."""
    return replace(profile, channel="nosuchchannel")


def with_another_chaincode(profile: ConnectionProfile, _site: Site) -> ConnectionProfile:
    """Name a chaincode of which nothing is committed."""
    return replace(profile, chaincode="nosuch")


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (for_another_host, ["Hostname mismatch", "serverName"]),
        (of_an_unknown_msp, ["belongs to Org9MSP", "ACCESS_DENIED"]),
        (of_the_other_msp, ["ACCESS_DENIED", "the MSP that enrolled it"]),
        (with_an_expired_certificate, ["certificate of gx_partner_api: expired on", "renew"]),
        (with_a_strangers_certificate, ["endorsement as gx_admin: failed", "ACCESS_DENIED"]),
        (without_a_role, ["nobody signs for gx_super_admin"]),
        (with_anothers_role, ["its certificate says gxc_role=gx_partner_api"]),
        (on_another_channel, ["is for nosuchchannel", "gxtv3 on nosuchchannel"]),
        (with_another_chaincode, ["CHAINCODE_UNKNOWN", "calls nosuch on gxchannel"]),
    ],
)
def test_what_is_wrong_in_a_profile_is_named(site: Site, change: Change, named: list[str]) -> None:
    """Before a client meets it as a call that fails, or waits for ever."""
    profile = site.network.profile

    found = "\n".join(site.faults(change(profile, site)))

    assert all(words in found for words in named), found


def test_a_chaincode_that_was_never_committed_is_named(site: Site) -> None:
    """The same name is wrong in both files; the channel has no definition of it."""
    there = load_administration(site.network.folder / "fabric" / "administration.json")
    path = site.folder / "administration.json"
    path.write_bytes(replace(there, chaincode="nosuch").encode())

    found = "\n".join(site.faults(replace(site.network.profile, chaincode="nosuch"), path))

    assert "no version is in force" in found


def test_sequence_packages_and_policy_are_judged(site: Site) -> None:
    """What is approved and not committed, whoever cannot run it, and whoever may endorse alone."""
    profile, lifecycle = site.network.profile, lifecycle_of(site)
    first, second = lifecycle.organisations
    there = lifecycle.committed()
    assert there is not None
    approval = lifecycle.approved(first, there.sequence)
    assert approval is not None
    assert site.faults(profile) == []

    alone = "OR('Org1MSP.peer','Org2MSP.peer')"
    following = Definition(version="2", sequence=there.sequence + 1, signature_policy=alone)
    lifecycle.approve(first, following, approval.package_id or "")
    (begun,) = site.faults(profile)
    lifecycle.approve(second, following, f"gxtv3_2:{'0' * 64}")
    lifecycle.commit(following)
    lacking, policy = site.faults(profile)

    assert f"Org1MSP has approved version 2 for sequence {following.sequence}" in begun
    assert "Org2MSP has not installed the package" in lacking
    assert "1 of the 2 named principals" in policy


def test_each_advice_is_about_a_failure_that_there_is() -> None:
    """The table goes by name, so that the command line need not load what speaks to peers."""
    assert set(ADVICE) <= set(Cause)


def lifecycle_of(site: Site) -> PeerLifecycle:
    """Act as both organisations' administrators."""
    people = load_administration(site.network.folder / "fabric" / "administration.json")
    return PeerLifecycle(people, peer=require_programs()[Program.PEER], folder=site.folder)
