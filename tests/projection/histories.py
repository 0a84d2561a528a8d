"""Random histories that real contracts made: refusals, pauses, frozen wallets and all."""

import hashlib
from typing import Final

from hypothesis import strategies as st

from gx.domain.batches import BatchItem
from gx.domain.roles import LedgerRole
from tests.projection.chain import ADMIN, PARTNER, Chain

USERS: Final = ("alice", "bob", "carol")
ACCOUNTS: Final = (*USERS, "treasury_US", "SYSTEM_CHARITABLE_POOL", "nobody")

RULES: Final = """[
    {"amountThreshold":"0","requiredApprovers":1,"approverGroup":["alice","bob"]},
    {"amountThreshold":"300000000","requiredApprovers":2,"approverGroup":["alice","bob"]}
]"""

Step = tuple[str, str, str, int]

STEPS: Final = st.tuples(
    st.sampled_from(
        ("transfer", "transfer", "transfer", "mint", "create", "genesis", "freeze", "unfreeze",
         "lock", "unlock", "relate", "confirm",
         "propose", "endorse", "activate",
         "pay", "pay", "approve", "approve",
         "pause", "resume", "parameter", "treasury", "admin", "collect")
    ),
    st.sampled_from(ACCOUNTS),
    st.sampled_from(ACCOUNTS),
    st.sampled_from((1, 299_999_999, 300_000_000, 10**10, 10**10 + 1, 10**12, 10**18)),
)  # fmt: skip
BLOCKS: Final = st.lists(st.lists(STEPS, min_size=1, max_size=3), max_size=8)


def play(chain: Chain, blocks: list[list[Step]]) -> None:
    """Bootstrap, and commit each list of steps as one block of one or two transactions."""
    chain.bootstrap("US", "CA")
    chain.users("alice", "bob")
    for steps in blocks:
        commands = [_command(chain, step) for step in steps]
        for role in (ADMIN, PARTNER):
            items = [item for item, signer in commands if signer is role]
            if items:
                chain.run(*items, role=role)


def _command(chain: Chain, step: Step) -> tuple[BatchItem, LedgerRole]:
    kind, one, two, amount = step
    partner = {
        "transfer": ("TokenomicsContract:Transfer", one, two, str(amount), "Lunch"),
        "create": (
            "IdentityContract:CreateUser",
            *(one, hashlib.sha256(one.encode()).hexdigest(), "CA", "40"),
        ),
        "relate": ("IdentityContract:RequestRelationship", one, two, "FRIEND"),
        "propose": (
            "OrganizationContract:ProposeOrganization",
            *("acme", "Acme", "NGO", '["alice","bob"]', RULES),
        ),
        "endorse": ("OrganizationContract:EndorseMembership", "acme"),
        "activate": ("OrganizationContract:ActivateOrganization", "acme"),
        "pay": ("OrganizationContract:InitiateMultiSigTx", "acme", two, str(amount), "Rent"),
        "approve": ("OrganizationContract:ApproveMultiSigTx", f"acme~{two}~{chain.newest()}"),
        "confirm": ("IdentityContract:ConfirmRelationship", f"{two}~FRIEND~{one}"),
    }
    admin = {
        "mint": ("TokenomicsContract:Mint", one, str(amount), "Welcome"),
        "genesis": ("TokenomicsContract:DistributeGenesis", one),
        "freeze": ("TokenomicsContract:FreezeWallet", one, "Reported stolen"),
        "unfreeze": ("TokenomicsContract:UnfreezeWallet", one),
        "lock": ("IdentityContract:LockUser", one, "Court order"),
        "unlock": ("IdentityContract:UnlockUser", one),
        "pause": ("AdminContract:PauseSystem", "Planned upgrade of it"),
        "resume": ("AdminContract:ResumeSystem",),
        "parameter": ("AdminContract:UpdateSystemParameter", "feeLowerBps", str(amount % 1_000)),
        "treasury": ("AdminContract:ActivateTreasuryAccount", "US"),
        "admin": ("AdminContract:AppointAdmin", one),
        "collect": ("TokenomicsContract:CollectFees",),
    }
    if kind in partner:
        return chain.command(*partner[kind], actor=one), PARTNER
    return chain.command(*admin[kind]), ADMIN
