"""Who may do what, written by hand: the table that declarations and behaviour are held against.

Nothing here is read from the catalogue. A command that is added there and not here fails a test
by its name, and so does one whose access was changed in one place alone.
"""

from dataclasses import dataclass
from typing import Final

# Roles of bearer tokens: P asks for none.
P: Final[tuple[str, ...]] = ()
U: Final = ("user", "partner", "admin", "super_admin")
PARTNER: Final = ("partner",)
A: Final = ("admin", "super_admin")
S: Final = ("super_admin",)

# Roles of the certificates that sign.
BY_PARTNER: Final = ("gx_partner_api",)
BY_ADMINS: Final = ("gx_admin", "gx_super_admin")
BY_ROOT: Final = ("gx_super_admin",)
BY_ANY: Final = ("gx_partner_api", "gx_admin", "gx_super_admin")

SIGNS_AS: Final = {
    "user": "gx_partner_api",
    "partner": "gx_partner_api",
    "admin": "gx_admin",
    "super_admin": "gx_super_admin",
}
"""With which identity the edge signs for a token; a user has none of his own."""

ACT_FOR_USERS: Final = ("gx_partner_api", "gx_admin")
"""A super admin never speaks for a user."""

SERVICE: Final = ""
"""The role is all: whoever has it may, and the actor is only recorded."""

PARTY: Final = "?"
"""The actor must be somebody whom the ledger's state names: a stakeholder, a borrower, a voter."""


@dataclass(frozen=True, kw_only=True)
class CommandRule:
    """One command. `acting` is SERVICE, PARTY, or the argument that must name the actor."""

    command: str
    function: str
    route: str
    tokens: tuple[str, ...]
    signers: tuple[str, ...]
    acting: str = SERVICE
    outsider: str = "ACTOR_MISMATCH"
    """How the ledger refuses an actor who is not the one."""


@dataclass(frozen=True, kw_only=True)
class ReadRule:
    """One route that changes nothing, or is the edge's own. `is_owned`: its path names whose.

    An organisation's data is that of its stakeholders.
    """

    route: str
    tokens: tuple[str, ...]
    is_owned: bool = False


def _command(
    command: str,
    function: str,
    route: str,
    *,
    tokens: tuple[str, ...],
    signers: tuple[str, ...],
    acting: str = SERVICE,
    outsider: str = "ACTOR_MISMATCH",
) -> CommandRule:
    return CommandRule(
        command=command,
        function=function,
        route=f"POST /api/v1{route}",
        tokens=tokens,
        signers=signers,
        acting=acting,
        outsider=outsider,
    )


def _read(route: str, tokens: tuple[str, ...], *, is_owned: bool = False) -> ReadRule:
    method, path = route.split()
    return ReadRule(route=f"{method} /api/v1{path}", tokens=tokens, is_owned=is_owned)


COMMAND_RULES: Final = (
    _command(
        "BOOTSTRAP_SYSTEM", "AdminContract:BootstrapSystem", "/admin/bootstrap",
        tokens=S, signers=BY_ROOT,
    ),
    _command(
        "INITIALIZE_COUNTRY_DATA", "AdminContract:InitializeCountryData",
        "/admin/countries/initialize", tokens=S, signers=BY_ROOT,
    ),
    _command(
        "UPDATE_SYSTEM_PARAMETER", "AdminContract:UpdateSystemParameter", "/admin/parameters",
        tokens=S, signers=BY_ROOT,
    ),
    _command(
        "PAUSE_SYSTEM", "AdminContract:PauseSystem", "/admin/system/pause",
        tokens=S, signers=BY_ROOT,
    ),
    _command(
        "RESUME_SYSTEM", "AdminContract:ResumeSystem", "/admin/system/resume",
        tokens=S, signers=BY_ROOT,
    ),
    _command(
        "APPOINT_ADMIN", "AdminContract:AppointAdmin", "/admin/admins", tokens=S, signers=BY_ROOT,
    ),
    _command(
        "ACTIVATE_TREASURY", "AdminContract:ActivateTreasuryAccount", "/admin/treasury/activate",
        tokens=A, signers=BY_ADMINS,
    ),
    _command(
        "CREATE_USER", "IdentityContract:CreateUser", "/users",
        tokens=PARTNER, signers=BY_PARTNER,
    ),
    _command(
        "LOCK_USER", "IdentityContract:LockUser", "/users/{}/lock", tokens=S, signers=BY_ROOT,
    ),
    _command(
        "UNLOCK_USER", "IdentityContract:UnlockUser", "/users/{}/unlock",
        tokens=S, signers=BY_ROOT,
    ),
    _command(
        "REQUEST_RELATIONSHIP", "IdentityContract:RequestRelationship",
        "/users/{}/relationships", tokens=U, signers=BY_ANY, acting="subjectId",
    ),
    _command(
        "CONFIRM_RELATIONSHIP", "IdentityContract:ConfirmRelationship",
        "/relationships/{}/confirm", tokens=U, signers=BY_ANY, acting=PARTY,
    ),
    _command(
        "MINT_COINS", "TokenomicsContract:Mint", "/admin/mint", tokens=S, signers=BY_ROOT,
    ),
    _command(
        "DISTRIBUTE_GENESIS", "TokenomicsContract:DistributeGenesis", "/genesis",
        tokens=A, signers=BY_ADMINS,
    ),
    _command(
        "TRANSFER_TOKENS", "TokenomicsContract:Transfer", "/transfers",
        tokens=U, signers=BY_ANY, acting="fromId",
    ),
    _command(
        "COLLECT_FEES", "TokenomicsContract:CollectFees", "/admin/fees/collect",
        tokens=A, signers=BY_ADMINS,
    ),
    _command(
        "FREEZE_WALLET", "TokenomicsContract:FreezeWallet", "/wallets/{}/freeze",
        tokens=S, signers=BY_ROOT,
    ),
    _command(
        "UNFREEZE_WALLET", "TokenomicsContract:UnfreezeWallet", "/wallets/{}/unfreeze",
        tokens=S, signers=BY_ROOT,
    ),
    _command(
        "PROPOSE_ORGANIZATION", "OrganizationContract:ProposeOrganization", "/organizations",
        tokens=U, signers=BY_ANY, acting=PARTY, outsider="NOT_A_STAKEHOLDER",
    ),
    _command(
        "ENDORSE_MEMBERSHIP", "OrganizationContract:EndorseMembership",
        "/organizations/{}/endorse",
        tokens=U, signers=BY_ANY, acting=PARTY, outsider="NOT_A_STAKEHOLDER",
    ),
    _command(
        "ACTIVATE_ORGANIZATION", "OrganizationContract:ActivateOrganization",
        "/organizations/{}/activate",
        tokens=U, signers=BY_ANY, acting=PARTY, outsider="NOT_A_STAKEHOLDER",
    ),
    _command(
        "DEFINE_AUTH_RULE", "OrganizationContract:DefineAuthRule", "/organizations/{}/rules",
        tokens=U, signers=BY_ANY, acting=PARTY, outsider="NOT_A_STAKEHOLDER",
    ),
    _command(
        "INITIATE_MULTISIG_TX", "OrganizationContract:InitiateMultiSigTx",
        "/organizations/{}/transactions",
        tokens=U, signers=BY_ANY, acting=PARTY, outsider="NOT_A_STAKEHOLDER",
    ),
    _command(
        "APPROVE_MULTISIG_TX", "OrganizationContract:ApproveMultiSigTx",
        "/transactions/{}/approve",
        tokens=U, signers=BY_ANY, acting=PARTY, outsider="NOT_A_STAKEHOLDER",
    ),
    _command(
        "APPLY_FOR_LOAN", "LoanPoolContract:ApplyForLoan", "/loans",
        tokens=U, signers=BY_ANY, acting="borrowerId",
    ),
    _command(
        "APPROVE_LOAN", "LoanPoolContract:ApproveLoan", "/loans/{}/approve",
        tokens=A, signers=BY_ADMINS,
    ),
    _command(
        "REJECT_LOAN", "LoanPoolContract:RejectLoan", "/loans/{}/reject",
        tokens=A, signers=BY_ADMINS,
    ),
    _command(
        "REPAY_LOAN", "LoanPoolContract:RepayLoan", "/loans/{}/repay",
        tokens=U, signers=BY_ANY, acting=PARTY,
    ),
    _command(
        "SUBMIT_PROPOSAL", "GovernanceContract:SubmitProposal", "/proposals",
        tokens=U, signers=BY_ANY, acting=PARTY, outsider="USER_NOT_FOUND",
    ),
    _command(
        "VOTE_ON_PROPOSAL", "GovernanceContract:VoteOnProposal", "/proposals/{}/vote",
        tokens=U, signers=BY_ANY, acting=PARTY, outsider="USER_NOT_FOUND",
    ),
    _command(
        "EXECUTE_PROPOSAL", "GovernanceContract:ExecuteProposal", "/proposals/{}/execute",
        tokens=A, signers=BY_ADMINS,
    ),
    _command(
        "APPLY_VELOCITY_TAX", "TaxAndFeeContract:ApplyVelocityTax", "/velocity-tax/apply",
        tokens=A, signers=BY_ADMINS,
    ),
)  # fmt: skip
"""Every command."""

READ_RULES: Final = (
    _read("GET /admin/system/status", P),
    _read("GET /admin/countries", P),
    _read("GET /admin/countries/{}/stats", P),
    _read("GET /admin/parameters/{}", P),
    _read("GET /admin/counters", P),
    _read("GET /users/{}", U, is_owned=True),
    _read("GET /users/{}/trust", U, is_owned=True),
    _read("GET /users/{}/relationships", U, is_owned=True),
    _read("GET /wallets/{}/balance", U, is_owned=True),
    _read("GET /wallets/{}/transactions", U, is_owned=True),
    _read("GET /treasury/{}/balance", P),
    _read("GET /supply", P),
    _read("GET /pools", P),
    _read("GET /organizations/{}", U, is_owned=True),
    _read("GET /organizations/{}/transactions/pending", U, is_owned=True),
    _read("GET /transactions/{}", U, is_owned=True),
    _read("GET /loans/{}", U, is_owned=True),
    _read("GET /users/{}/loans", U, is_owned=True),
    _read("GET /proposals", P),
    _read("GET /proposals/{}", P),
    _read("POST /fees/calculate", P),
    _read("GET /velocity-tax/eligibility/{}", U, is_owned=True),
    _read("GET /commands", A),
    _read("POST /commands/query", A),
    _read("GET /commands/{}", U),
    _read("GET /commands/{}/events", U),
    _read("GET /dead-letters", A),
    _read("GET /dead-letters/{}", A),
    _read("POST /dead-letters/{}/replay", A),
    _read("POST /dead-letters/{}/discard", A),
    ReadRule(route="GET /openapi.json", tokens=P),
    ReadRule(route="GET /problems/{}", tokens=P),
)
"""Every other route."""
