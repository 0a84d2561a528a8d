"""The catalogue: every command, query and reading contract function, each declared once.

One module an area; this one puts them together.
"""

from typing import Final

from gx.domain.catalogue import admin, governance, identity, loans, organization, tax, tokenomics
from gx.domain.catalogue.admin import (
    ACTIVATE_TREASURY,
    APPOINT_ADMIN,
    BOOTSTRAP_SYSTEM,
    INITIALIZE_COUNTRY_DATA,
    PAUSE_SYSTEM,
    RESUME_SYSTEM,
    UPDATE_SYSTEM_PARAMETER,
)
from gx.domain.catalogue.governance import (
    EXECUTE_PROPOSAL,
    SUBMIT_PROPOSAL,
    VOTE_ON_PROPOSAL,
)
from gx.domain.catalogue.identity import (
    CONFIRM_RELATIONSHIP,
    CREATE_USER,
    LOCK_USER,
    REQUEST_RELATIONSHIP,
    UNLOCK_USER,
)
from gx.domain.catalogue.loans import (
    APPLY_FOR_LOAN,
    APPROVE_LOAN,
    REJECT_LOAN,
    REPAY_LOAN,
)
from gx.domain.catalogue.organization import (
    ACTIVATE_ORGANIZATION,
    APPROVE_MULTISIG_TX,
    DEFINE_AUTH_RULE,
    ENDORSE_MEMBERSHIP,
    INITIATE_MULTISIG_TX,
    PROPOSE_ORGANIZATION,
)
from gx.domain.catalogue.tax import APPLY_VELOCITY_TAX
from gx.domain.catalogue.tokenomics import (
    COLLECT_FEES,
    DISTRIBUTE_GENESIS,
    FREEZE_WALLET,
    MINT_COINS,
    TRANSFER_TOKENS,
    UNFREEZE_WALLET,
)
from gx.domain.commands import CommandSpec, FunctionSpec, QuerySpec

COMMANDS: Final[dict[str, CommandSpec]] = {
    spec.wire_name: spec
    for spec in (
        *admin.COMMANDS,
        *identity.COMMANDS,
        *tokenomics.COMMANDS,
        *loans.COMMANDS,
        *governance.COMMANDS,
        *organization.COMMANDS,
        *tax.COMMANDS,
    )
}
"""Every command by its wire name."""

COMMANDS_BY_FUNCTION: Final[dict[str, CommandSpec]] = {
    spec.function: spec for spec in COMMANDS.values()
}
"""Every command by its contract function, `Contract:Function`."""

FUNCTIONS: Final[dict[str, FunctionSpec]] = {
    spec.function: spec
    for spec in (
        *admin.FUNCTIONS,
        *identity.FUNCTIONS,
        *tokenomics.FUNCTIONS,
        *loans.FUNCTIONS,
        *governance.FUNCTIONS,
        *organization.FUNCTIONS,
        *tax.FUNCTIONS,
    )
}
"""Every contract function that only reads."""

QUERIES: Final[dict[str, QuerySpec]] = {
    spec.name: spec
    for spec in (
        *admin.QUERIES,
        *identity.QUERIES,
        *tokenomics.QUERIES,
        *loans.QUERIES,
        *governance.QUERIES,
        *organization.QUERIES,
        *tax.QUERIES,
    )
}
"""Every read of the business API by name; commands and dead letters have routes of their own."""

__all__ = [
    "ACTIVATE_ORGANIZATION",
    "ACTIVATE_TREASURY",
    "APPLY_FOR_LOAN",
    "APPLY_VELOCITY_TAX",
    "APPOINT_ADMIN",
    "APPROVE_LOAN",
    "APPROVE_MULTISIG_TX",
    "BOOTSTRAP_SYSTEM",
    "COLLECT_FEES",
    "COMMANDS",
    "COMMANDS_BY_FUNCTION",
    "CONFIRM_RELATIONSHIP",
    "CREATE_USER",
    "DEFINE_AUTH_RULE",
    "DISTRIBUTE_GENESIS",
    "ENDORSE_MEMBERSHIP",
    "EXECUTE_PROPOSAL",
    "FREEZE_WALLET",
    "FUNCTIONS",
    "INITIALIZE_COUNTRY_DATA",
    "INITIATE_MULTISIG_TX",
    "LOCK_USER",
    "MINT_COINS",
    "PAUSE_SYSTEM",
    "PROPOSE_ORGANIZATION",
    "QUERIES",
    "REJECT_LOAN",
    "REPAY_LOAN",
    "REQUEST_RELATIONSHIP",
    "RESUME_SYSTEM",
    "SUBMIT_PROPOSAL",
    "TRANSFER_TOKENS",
    "UNFREEZE_WALLET",
    "UNLOCK_USER",
    "UPDATE_SYSTEM_PARAMETER",
    "VOTE_ON_PROPOSAL",
]
