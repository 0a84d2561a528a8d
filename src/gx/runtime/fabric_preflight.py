"""Looks at a Fabric network as its clients and administrators will meet it."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from gx.domain.errors import GxError
from gx.fabric.checks import Check, Grade, check_profile
from gx.fabric.endorsement import read_policy
from gx.ledger.errors import LedgerError
from gx.ledger.fabric.profile import ProfileError, load_profile
from gx.runtime.clock import SystemClock
from gx.runtime.fabric_deployment import ChaincodeStatus, open_deployer
from gx.runtime.fabric_ready import HARMLESS
from gx.runtime.inspection import fabric_profile
from gx.runtime.ledgers import open_fabric
from gx.runtime.settings import CommonSettings, load

ADMINISTRATION: Final = "administration.json"


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
    checks += await _check_channel(path)
    return [*checks, *await asyncio.to_thread(_check_chaincode, path, administration)]


async def _check_channel(profile: Path) -> list[Check]:
    """Ask the channel for its height, and for an endorsement that is never submitted."""
    common = load(CommonSettings)
    subject = f"channel {common.channel}"
    try:
        ledger = open_fabric(common, profile)
    except GxError as error:
        return [_wrong(subject, str(error), "see the identities and the channel above")]
    checks: list[Check] = []
    try:
        info = await ledger.chain_info()
        checks = [
            _good(subject, f"has {info.height} blocks; the first is {info.genesis_hash[:16]}")
        ]
        await ledger.prepare(HARMLESS)
    except LedgerError as error:
        refusal = getattr(error, "refusal", None)
        if refusal is None:
            advice = "do all organisations' peers run, with the chaincode, and know each other?"
            return [_wrong(subject, f"does not endorse: {error}", advice)]
    finally:
        await ledger.close()
    return [*checks, _good("endorsement", "every organisation that must has endorsed a call")]


def _check_chaincode(profile: Path, administration: Path | None) -> list[Check]:
    beside = profile.parent / ADMINISTRATION
    named = administration or (beside if beside.exists() else None)
    if named is None:
        finding = "not looked at: no administration file is named"
        return [_unseen(finding, "name it with --administration to see sequence and policy")]
    try:
        status = open_deployer(named).status()
    except GxError as error:
        return [_unseen(f"not looked at: {error}", "an administrator's machine can look")]
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
