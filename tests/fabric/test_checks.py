"""The preflight's checks: each must see what is wrong, and say what to do."""

from datetime import timedelta
from pathlib import Path

import pytest

from gx.domain.roles import LedgerRole
from gx.fabric.checks import Check, Grade, check_identity, check_node, check_profile
from gx.fabric.identities import issue_identity, read_authority, write_identity
from gx.ledger.fabric.profile import ConnectionProfile, IdentityFiles, Node
from tests.fabric.authority import NOW, FixedClock, real_now, write_authority, write_server
from tests.fabric.tls_server import serving

NAME = "peer0.org1.gx.local"


def look(folder: Path, port: int, *, name: str | None = NAME) -> list[Check]:
    """Check a node on this port."""
    node = Node(
        name="peer",
        endpoint=f"127.0.0.1:{port}",
        tls_ca=folder / "ca.crt",
        msp_id="Org1MSP",
        server_name=name,
    )
    return list(check_node(node, real_now()))


def test_a_sound_node_is_good(tmp_path: Path) -> None:
    """It answers, with a certificate for its name that lasts."""
    write_server(tmp_path / "ca", tmp_path, name=NAME)
    with serving(tmp_path) as port:
        checks = look(tmp_path, port)

    assert [check.grade for check in checks] == [Grade.GOOD] * 2
    assert NAME in checks[0].finding


def test_a_certificate_for_another_name_is_wrong(tmp_path: Path) -> None:
    """Clients refuse it; the remedy is the name."""
    write_server(tmp_path / "ca", tmp_path, name="other.gx.local")
    with serving(tmp_path) as port:
        (check,) = look(tmp_path, port)

    assert check.grade is Grade.WRONG
    assert "serverName" in check.advice


def test_the_endpoints_own_host_is_what_counts_without_a_name(tmp_path: Path) -> None:
    """A profile without `serverName` means the host in the endpoint."""
    write_server(tmp_path / "ca", tmp_path, name=NAME, hosts=("10.9.8.7",))
    with serving(tmp_path) as port:
        (check,) = look(tmp_path, port, name=None)

    assert check.grade is Grade.WRONG
    assert "serverName" in check.advice


def test_a_certificate_of_another_root_is_wrong(tmp_path: Path) -> None:
    """The remedy is the root."""
    write_server(tmp_path / "ca", tmp_path / "node", name=NAME)
    write_server(tmp_path / "ca2", tmp_path / "other", name=NAME)
    with serving(tmp_path / "node") as port:
        (check,) = look(tmp_path / "other", port)

    assert check.grade is Grade.WRONG
    assert "tlsCa" in check.advice


def test_an_expired_certificate_is_wrong(tmp_path: Path) -> None:
    """The remedy is a new one."""
    long_ago = real_now() - timedelta(days=30)
    write_server(tmp_path / "ca", tmp_path, name=NAME, days=10, now=long_ago)
    with serving(tmp_path) as port:
        (check,) = look(tmp_path, port)

    assert check.grade is Grade.WRONG
    assert "renew" in check.advice


def test_a_certificate_that_soon_expires_is_a_warning(tmp_path: Path) -> None:
    """There is still time, but not much."""
    write_server(tmp_path / "ca", tmp_path, name=NAME, days=5)
    with serving(tmp_path) as port:
        checks = look(tmp_path, port)

    assert [check.grade for check in checks] == [Grade.GOOD, Grade.WARNING]


def test_a_node_without_tls_is_told_from_one_that_is_down(tmp_path: Path) -> None:
    """An operations port answers, but not with TLS."""
    write_server(tmp_path / "ca", tmp_path, name=NAME)
    with serving(None) as port:
        (plain,) = look(tmp_path, port)
    (down,) = look(tmp_path, port)

    assert "speaks no TLS" in plain.finding
    assert "does not answer" in down.finding


def test_a_missing_root_is_named(tmp_path: Path) -> None:
    """Nothing can be checked without it."""
    (check,) = look(tmp_path / "nowhere", 1)

    assert check.grade is Grade.WRONG
    assert "ca.crt" in check.finding


def enrol(folder: Path, role: LedgerRole | None) -> IdentityFiles:
    """Issue an identity, and return where its files are."""
    write_authority(folder / "ca")
    identity = issue_identity(
        read_authority(folder / "ca"), name="me", role=role, clock=FixedClock()
    )
    write_identity(identity, folder / "me")
    return IdentityFiles(
        msp_id="Org1MSP", certificate=folder / "me" / "cert.pem", key=folder / "me" / "key.pem"
    )


def grades(files: IdentityFiles, role: LedgerRole = LedgerRole.ADMIN) -> list[Grade]:
    """Check an identity of the administrators' role."""
    return [check.grade for check in check_identity(role, files, NOW)]


def test_a_sound_identity_is_good(tmp_path: Path) -> None:
    """Files that fit, dates, unit and role."""
    assert grades(enrol(tmp_path, LedgerRole.ADMIN)) == [Grade.GOOD] * 3


@pytest.mark.parametrize("role", [None, LedgerRole.PARTNER_API])
def test_an_identity_without_its_role_is_wrong(tmp_path: Path, role: LedgerRole | None) -> None:
    """Contracts would refuse everything that it signs."""
    files = enrol(tmp_path, role)
    wrong = [
        check
        for check in check_identity(LedgerRole.ADMIN, files, NOW)
        if check.grade is Grade.WRONG
    ]

    assert len(wrong) == 1
    assert "gxc_role=gx_admin" in wrong[0].advice


def test_an_expired_identity_is_wrong_and_an_ending_one_a_warning(tmp_path: Path) -> None:
    """Both on the day, not after it."""
    files = enrol(tmp_path, LedgerRole.ADMIN)
    ends = NOW + timedelta(days=3650)

    def grade(days_before: int) -> Grade:
        checks = check_identity(LedgerRole.ADMIN, files, ends - timedelta(days=days_before))
        return list(checks)[1].grade

    assert [grade(days) for days in (15, 14, 0)] == [Grade.GOOD, Grade.WARNING, Grade.WRONG]


def test_a_key_of_another_certificate_is_wrong(tmp_path: Path) -> None:
    """A half-done renewal signs nothing that anybody takes."""
    files = enrol(tmp_path, LedgerRole.ADMIN)
    other = enrol(tmp_path / "other", LedgerRole.ADMIN)
    files.key.write_bytes(other.key.read_bytes())

    assert grades(files)[0] is Grade.WRONG


def test_a_key_that_others_may_read_is_a_warning(tmp_path: Path) -> None:
    """Whoever reads it signs as us."""
    files = enrol(tmp_path, LedgerRole.ADMIN)
    files.key.chmod(0o644)

    assert grades(files)[0] is Grade.WARNING


def test_missing_files_are_wrong(tmp_path: Path) -> None:
    """And nothing else is said of them."""
    files = IdentityFiles(msp_id="M", certificate=tmp_path / "c", key=tmp_path / "k")

    assert grades(files) == [Grade.WRONG]


def test_a_profile_lacks_roles_and_names_a_strange_msp(tmp_path: Path) -> None:
    """Commands of a role that nobody signs for would wait for ever."""
    files = enrol(tmp_path, LedgerRole.ADMIN)
    node = Node(name="p", endpoint="127.0.0.1:1", tls_ca=tmp_path / "c", msp_id="Org2MSP")
    profile = ConnectionProfile(
        channel="c", chaincode="gxtv3", peers=(node,), identities={LedgerRole.ADMIN: files}
    )
    findings = {
        check.finding
        for check in check_profile(profile, FixedClock())
        if check.grade is Grade.WRONG
    }

    assert "belongs to Org1MSP, but the peers to Org2MSP" in findings
    assert "nobody signs for gx_super_admin, gx_partner_api" in findings
