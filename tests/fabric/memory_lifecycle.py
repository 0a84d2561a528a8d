"""A channel's chaincode lifecycle in memory, with the rules that make the real one awkward."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from gx.fabric.files import FabricToolError
from gx.fabric.lifecycle import Approval, Committed, Definition
from gx.fabric.package import ChaincodePackage


@dataclass
class MemoryLifecycle:
    """Implements `gx.fabric.lifecycle.Lifecycle`: two organisations, a majority is both."""

    organisations: Sequence[str] = ("Org1MSP", "Org2MSP")
    now: Committed | None = None
    packages: dict[str, set[str]] = field(default_factory=dict)
    approvals: dict[tuple[str, int], Approval] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    fails_at: str = ""

    def committed(self) -> Committed | None:
        """See `Lifecycle`."""
        return self.now

    def installed(self, organisation: str) -> frozenset[str]:
        """See `Lifecycle`."""
        return frozenset(self.packages.get(organisation, ()))

    def approved(self, organisation: str, sequence: int) -> Approval | None:
        """See `Lifecycle`."""
        return self.approvals.get((organisation, sequence))

    def install(self, organisation: str, package: ChaincodePackage) -> None:
        """See `Lifecycle`."""
        self._note(f"install {organisation}")
        self.packages.setdefault(organisation, set()).add(package.package_id)

    def approve(self, organisation: str, definition: Definition, package_id: str) -> None:
        """See `Lifecycle`. The same approval twice is an error, as it is on a real channel."""
        self._note(f"approve {organisation} {definition.sequence}")
        approval = Approval(version=definition.version, package_id=package_id)
        if self.approvals.get((organisation, definition.sequence)) == approval:
            raise FabricToolError("attempted to redefine the current sequence")
        self.approvals[organisation, definition.sequence] = approval

    def commit(self, definition: Definition) -> None:
        """See `Lifecycle`. Needs every organisation's approval, and the next sequence."""
        self._note(f"commit {definition.sequence}")
        for organisation in self.organisations:
            approval = self.approved(organisation, definition.sequence)
            if approval is None or approval.version != definition.version:
                raise FabricToolError(f"{organisation} has not agreed")
        if definition.sequence != (self.now.sequence if self.now else 0) + 1:
            raise FabricToolError("requested sequence is not the next one")
        self.now = Committed(version=definition.version, sequence=definition.sequence, policy=b"")

    def _note(self, call: str) -> None:
        if self.fails_at and call.startswith(self.fails_at):
            raise FabricToolError(f"the peer is gone at `{call}`")
        self.calls.append(call)


@dataclass
class MemoryServers:
    """Implements `gx.fabric.deployment.ChaincodeServers`: notes into the lifecycle's calls."""

    calls: list[str]

    def address_for(self, version: str, *, in_force: str | None) -> str:
        """See `ChaincodeServers`."""
        del in_force
        return f"{version}.example:9999"

    def serve(self, package: ChaincodePackage) -> None:
        """See `ChaincodeServers`."""
        self.calls.append(f"serve {package.version}")

    def retire_others(self, package: ChaincodePackage) -> None:
        """See `ChaincodeServers`."""
        self.calls.append(f"retire all but {package.version}")
