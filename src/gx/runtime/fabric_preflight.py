"""Looks at a Fabric network as its clients and administrators will meet it."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from gx.domain.errors import GxError
from gx.domain.roles import LedgerRole
from gx.fabric.administration import load_administration
from gx.fabric.checks import Check, Grade, check_profile
from gx.fabric.endorsement import read_policy
from gx.ledger.errors import EndorseError, LedgerError
from gx.ledger.fabric.profile import ConnectionProfile, ProfileError, load_profile
from gx.ledger.ports import Ledger
from gx.runtime.clock import SystemClock
from gx.runtime.fabric_deployment import ChaincodeStatus, open_deployer
from gx.runtime.fabric_ready import HARMLESS
from gx.runtime.inspection import fabric_profile
from gx.runtime.ledgers import open_fabric
from gx.runtime.settings import CommonSettings, load

ADMINISTRATION: Final = "administration.json"

# By the value of `gx.ledger.fabric.failures.Cause`, whose module would load gRPC with the CLI.
ADVICE: Final[Mapping[str, str]] = {
    "ACCESS_DENIED": "is it the MSP that enrolled it, and is that one of the channel's?",
    "CERTIFICATE_EXPIRED": "renew the certificate",
    "CHAINCODE_UNKNOWN": "is the chaincode's name right, and a version in force?",
    "CHANNEL_UNKNOWN": "is the channel's name right, and have its peers joined it?",
    "CLOCK_WRONG": "set the clock of this machine, or of the peers",
    "TLS_FAILED": "see the nodes above",
}
ELSE: Final = "do all organisations' peers run, with the chaincode, and know each other?"


async def preflight(profile: Path | None, administration: Path | None) -> Sequence[Check]:
    """Check nodes, identities, channel, chaincode and policy; what was not looked at is said.

    Without an administration file the one beside the profile is used, if there is one.
    """
    path = profile or fabric_profile()
    try:
        described = load_profile(path)
    except ProfileError as error:
        advice = "name the file with --profile or GX_FABRIC_PROFILE"
        return [Check(subject="profile", grade=Grade.WRONG, finding=str(error), advice=advice)]
    checks = await asyncio.to_thread(lambda: list(check_profile(described, SystemClock())))
    checks += await _check_channel(path, described.identities)
    return [*checks, *await asyncio.to_thread(_check_chaincode, path, described, administration)]


async def _check_channel(profile: Path, roles: Iterable[LedgerRole]) -> list[Check]:
    """Ask the channel for its height, and each role for a call that is never submitted."""
    common = load(CommonSettings)
    subject = f"channel {common.channel}"
    try:
        ledger = open_fabric(common, profile)
    except GxError as error:
        return [_wrong(subject, str(error), "see the identities and the channel above")]
    try:
        info = await ledger.chain_info()
        found = f"has {info.height} blocks; the first is {info.genesis_hash[:16]}"
        return [_good(subject, found), *[await _check_endorsing(ledger, role) for role in roles]]
    except LedgerError as error:
        return [_wrong(subject, f"cannot be read: {error}", ADVICE.get(str(error.code), ELSE))]
    finally:
        await ledger.close()


async def _check_endorsing(ledger: Ledger, role: LedgerRole) -> Check:
    """Have a harmless call endorsed; a contract that refuses it was reached all the same."""
    subject = f"endorsement as {role.value}"
    try:
        await ledger.prepare(replace(HARMLESS, role=role))
    except LedgerError as error:
        if not isinstance(error, EndorseError) or error.refusal is None:
            return _wrong(subject, f"failed: {error}", ADVICE.get(str(error.code), ELSE))
    return _good(subject, "every organisation that must has endorsed a call")


def _check_chaincode(
    path: Path, profile: ConnectionProfile, administration: Path | None
) -> list[Check]:
    beside = path.parent / ADMINISTRATION
    named = administration or (beside if beside.exists() else None)
    if named is None:
        finding = "not looked at: no administration file is named"
        return [_unseen(finding, "name it with --administration to see sequence and policy")]
    try:
        people = load_administration(named)
        status = open_deployer(named).status()
    except GxError as error:
        return [_unseen(f"not looked at: {error}", "an administrator's machine can look")]
    administered = f"{people.chaincode} on {people.channel}"
    called = f"{profile.chaincode} on {profile.channel}"
    if administered != called:
        finding = f"{named} administers {administered}, but {path} calls {called}"
        return [_wrong("chaincode", finding, "name the same in both"), *judge_chaincode(status)]
    return list(judge_chaincode(status))


def judge_chaincode(status: ChaincodeStatus) -> Sequence[Check]:
    """Judge what is in force, who can run it, and who must endorse."""
    if status.committed is None:
        advice = "deploy one with `gx chaincode upgrade`"
        return [_wrong("chaincode", "no version is in force", advice)]
    there = status.committed
    found = f"version {there.version} is in force with sequence {there.sequence}"
    checks = [_good("chaincode", found)]
    checks += [
        _wrong("chaincode", problem, "run `gx chaincode upgrade` for the same version")
        for problem in status.problems
    ]
    checks += [
        _warned("chaincode", unfinished, "finish it with `gx chaincode upgrade` for that version")
        for unfinished in status.unfinished
    ]
    policy = read_policy(there.policy)
    if policy.is_single:
        advice = "commit a definition that needs two organisations, or trust each of them alone"
        finding = f"{policy.text}: one organisation can write what it likes"
        return [*checks, _warned("endorsement policy", finding, advice)]
    return [*checks, _good("endorsement policy", policy.text)]


def _good(subject: str, finding: str) -> Check:
    return Check(subject=subject, grade=Grade.GOOD, finding=finding)


def _wrong(subject: str, finding: str, advice: str) -> Check:
    return Check(subject=subject, grade=Grade.WRONG, finding=finding, advice=advice)


def _warned(subject: str, finding: str, advice: str) -> Check:
    return Check(subject=subject, grade=Grade.WARNING, finding=finding, advice=advice)


def _unseen(finding: str, advice: str) -> Check:
    return _warned("chaincode", finding, advice)
