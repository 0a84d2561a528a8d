"""The chaincode: all contracts behind one entry, checked against the catalogue."""

from gx.chaincode.dispatch import Registry, functions_of
from gx.chaincode.executor import Executor
from gx.chaincode.functions import ContractFunction
from gx.chaincode.observing import CallObserver
from gx.contracts import (
    admin,
    admin_queries,
    governance,
    identity,
    keys,
    loan_pool,
    organization,
    system,
    tax,
    tokenomics,
    tokenomics_queries,
)


def contract_functions() -> tuple[ContractFunction, ...]:
    """List every function of every contract."""
    return functions_of(
        admin,
        admin_queries,
        governance,
        identity,
        loan_pool,
        organization,
        tax,
        tokenomics,
        tokenomics_queries,
    )


def build_registry() -> Registry:
    """Collect every contract function.

    Raises:
        IncompleteRegistryError: the catalogue and the contracts do not match.
    """
    return Registry(contract_functions(), gate=system.require_open, shared_keys=keys.SHARED)


def build_executor(*, observer: CallObserver | None = None) -> Executor:
    """Build what a ledger calls; `observer` is told of every call.

    Raises:
        IncompleteRegistryError: the catalogue and the contracts do not match.
    """
    return Executor(build_registry(), observer=observer)
