"""Carries a deployment plan out: the server first, so that no call ever meets a wrong one.

A peer that reaches a server of another package id makes every call hang until its deadline.
So the new version's server runs at an address of its own before the definition is committed,
and the old one ends only after that.
"""

from collections.abc import Callable
from typing import Protocol

from gx.domain.errors import GxError
from gx.fabric.lifecycle import Action, DeploymentPlan, Lifecycle, Step
from gx.fabric.package import ChaincodePackage


class ServerMissingError(GxError):
    """No server of a package answers where peers will look for it; the text says what to start."""


class ChaincodeServers(Protocol):
    """The chaincode servers that peers call, as whoever runs them sees them."""

    def address_for(self, version: str, *, in_force: str | None) -> str:
        """Return where a server of this version is, or would be (`host:port`).

        Raises:
            ServerMissingError: there is no place for it.
        """
        ...

    def serve(self, package: ChaincodePackage) -> None:
        """Have a server of the package at its address; returns once it answers.

        Raises:
            ServerMissingError: there is none, and none can be started from here.
        """
        ...

    def retire_others(self, package: ChaincodePackage) -> None:
        """End the servers of every other package, where they are run from here."""
        ...


def carry_out(
    plan: DeploymentPlan,
    lifecycle: Lifecycle,
    servers: ChaincodeServers,
    *,
    report: Callable[[str], None],
) -> None:
    """Take the plan's steps in order; `report` gets a line before each.

    A failure leaves the steps before it in force, which is safe: only the commit changes what
    the channel runs. The next plan begins where this one stopped.

    Raises:
        ServerMissingError: no server of this package answers.
        FabricToolError: a step failed; the text says which call, and what the peer said.
    """
    for step in plan.steps:
        report(step.text)
        _take(step, plan, lifecycle, servers)


def _take(
    step: Step, plan: DeploymentPlan, lifecycle: Lifecycle, servers: ChaincodeServers
) -> None:
    organisation = step.organisation or ""
    match step.action:
        case Action.SERVE:
            servers.serve(plan.package)
        case Action.INSTALL:
            lifecycle.install(organisation, plan.package)
        case Action.APPROVE:
            lifecycle.approve(organisation, plan.definition, plan.package.package_id)
        case Action.COMMIT:
            lifecycle.commit(plan.definition)
        case Action.RETIRE:
            servers.retire_others(plan.package)
