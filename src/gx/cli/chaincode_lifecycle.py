"""`gx chaincode package|status|install|approve|commit|upgrade`: the chaincode's lifecycle."""

import sys
from pathlib import Path
from typing import Annotated, Final

import typer

from gx import __version__
from gx.cli.failures import CheckFailedError, UsageFailedError
from gx.cli.options import JsonOption
from gx.cli.output import say, show, show_fields, show_json, show_table
from gx.domain.codec import JsonObject
from gx.fabric.deployment import carry_out
from gx.fabric.lifecycle import Action, DeploymentPlan
from gx.fabric.package import ServerTls, build_package
from gx.runtime.fabric_deployment import ChaincodeStatus, Deployer, Wanted, open_deployer

AdministrationOption = Annotated[
    Path | None,
    typer.Option("--administration", help="The network's file; else the network that runs here."),
]
VersionOption = Annotated[str, typer.Option("--version", help="The version, as in its label.")]
AddressOption = Annotated[
    str | None,
    typer.Option("--address", help="Where peers find the version's server, host:port."),
]
PackageOption = Annotated[
    Path | None,
    typer.Option("--package", help="A package built before, instead of version and address."),
]
SequenceOption = Annotated[
    int | None,
    typer.Option("--sequence", min=1, help="Refuse unless the definition becomes this one."),
]
PolicyOption = Annotated[
    str | None,
    typer.Option("--signature-policy", help="Who must endorse; else what the channel says."),
]
ApplyOption = Annotated[bool, typer.Option("--apply", help="Carry the plan out without asking.")]
_PACKAGE_ID: Final = 24


def add_lifecycle(app: typer.Typer) -> None:
    """Add the subcommands to `gx chaincode`."""
    for name, subcommand in (
        ("package", package),
        ("status", status),
        ("install", install),
        ("approve", approve),
        ("commit", commit),
        ("upgrade", upgrade),
    ):
        app.command(name)(subcommand)


def package(
    address: Annotated[str, typer.Option("--address", help="Where peers find the server.")],
    version: VersionOption = __version__,
    output: Annotated[Path, typer.Option("--output", help="The folder to write into.")] = Path(),
    tls_root: Annotated[
        Path | None, typer.Option("--tls-root", help="Who signed the server's certificate.")
    ] = None,
    tls_certificate: Annotated[
        Path | None, typer.Option("--tls-certificate", help="What peers show to the server.")
    ] = None,
    tls_key: Annotated[Path | None, typer.Option("--tls-key", help="Its private key.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Build the chaincode's package, whose id its server must register under.

    The same version, address and TLS files give the same id on every machine.
    With TLS files, peers and server identify each other.

    Examples:
      gx chaincode package --address chaincode.backend-devnet:9999
      gx chaincode package --version 2 --address 10.0.0.5:9999 --output /tmp
    """
    built = build_package(
        version=version, address=address, tls=_tls_of(tls_root, tls_certificate, tls_key)
    )
    path = built.write(output)
    if as_json:
        show_json({"packageId": built.package_id, "label": built.label, "file": str(path)})
        return
    show_fields((("package id", built.package_id), ("file", str(path))))


def status(administration: AdministrationOption = None, as_json: JsonOption = False) -> None:
    """Show which version is in force, and what each organisation has of it.

    Exits with 1 if none is in force, or an organisation cannot run it.

    Examples:
      gx chaincode status
      gx chaincode status --administration fabric/administration.json --json
    """
    found = open_deployer(administration).status()
    if as_json:
        show_json(_status_wire(found))
    else:
        _show_status(found)
    if found.problems:
        raise CheckFailedError("; ".join(found.problems))


def install(
    administration: AdministrationOption = None,
    version: VersionOption = __version__,
    address: AddressOption = None,
    package_file: PackageOption = None,
    apply: ApplyOption = False,
) -> None:
    """Install the version's package on the organisations' peers.

    Examples:
      gx chaincode install
      gx chaincode install --administration org1.json --package gxtv3_2.tgz
    """
    wanted = Wanted(package=package_file, version=version, address=address)
    _plan_and_apply(administration, wanted, (Action.INSTALL,), apply=apply)


def approve(
    administration: AdministrationOption = None,
    version: VersionOption = __version__,
    address: AddressOption = None,
    package_file: PackageOption = None,
    sequence: SequenceOption = None,
    signature_policy: PolicyOption = None,
    apply: ApplyOption = False,
) -> None:
    """Approve the version for the organisations that the file administers.

    Examples:
      gx chaincode approve
      gx chaincode approve --version 2 --sequence 8 --apply
    """
    wanted = Wanted(
        package=package_file,
        version=version,
        address=address,
        sequence=sequence,
        signature_policy=signature_policy,
    )
    _plan_and_apply(administration, wanted, (Action.APPROVE,), apply=apply)


def commit(
    administration: AdministrationOption = None,
    version: VersionOption = __version__,
    address: AddressOption = None,
    package_file: PackageOption = None,
    sequence: SequenceOption = None,
    signature_policy: PolicyOption = None,
    apply: ApplyOption = False,
) -> None:
    """Put the approved version in force, once its server answers.

    Examples:
      gx chaincode commit
      gx chaincode commit --version 2 --sequence 8 --apply
    """
    wanted = Wanted(
        package=package_file,
        version=version,
        address=address,
        sequence=sequence,
        signature_policy=signature_policy,
    )
    actions = (Action.SERVE, Action.COMMIT, Action.RETIRE)
    _plan_and_apply(administration, wanted, actions, apply=apply)


def upgrade(
    administration: AdministrationOption = None,
    version: VersionOption = __version__,
    address: AddressOption = None,
    package_file: PackageOption = None,
    sequence: SequenceOption = None,
    signature_policy: PolicyOption = None,
    apply: ApplyOption = False,
) -> None:
    """Bring a version into force: serve, install, approve, commit, retire.

    Shows the plan, and carries it out with --apply or once you have agreed.
    What is done already is no part of it: a second run changes nothing, and
    an interrupted one goes on where it stopped. What was endorsed before the
    commit is endorsed anew by the submitter.

    Examples:
      gx chaincode upgrade
      gx chaincode upgrade --version 2 --sequence 8 --apply
      gx chaincode upgrade --administration org1.json --package gxtv3_2.tgz
    """
    wanted = Wanted(
        package=package_file,
        version=version,
        address=address,
        sequence=sequence,
        signature_policy=signature_policy,
    )
    _plan_and_apply(administration, wanted, tuple(Action), apply=apply)


def _plan_and_apply(
    administration: Path | None, wanted: Wanted, actions: tuple[Action, ...], *, apply: bool
) -> None:
    """Show what would be done, and do it if that is wanted."""
    deployer = open_deployer(administration)
    plan = deployer.plan(wanted).only(*actions)
    _show_plan(plan)
    if plan.is_done or not (apply or _agreed()):
        return
    _carry_out(plan, deployer)


def _carry_out(plan: DeploymentPlan, deployer: Deployer) -> None:
    servers = deployer.servers_for(plan.package)
    try:
        carry_out(plan, deployer.lifecycle, servers, report=lambda text: say(f"  {text} ..."))
    finally:
        say(plan.rollback)
    show(f"version {plan.definition.version}, sequence {plan.definition.sequence}: done")


def _show_plan(plan: DeploymentPlan) -> None:
    there = plan.committed
    now = f"version {there.version}, sequence {there.sequence}" if there else "nothing"
    show_fields((("in force", now), ("package id", plan.package.package_id)))
    if plan.is_done:
        show("nothing is left to do")
        return
    for number, step in enumerate(plan.steps, start=1):
        show(f"{number}. {step.text}")


def _agreed() -> bool:
    """Ask a person at a terminal; a script says --apply."""
    if sys.stdin.isatty():
        return typer.confirm("Carry this out?")
    say("Nothing was changed; --apply carries this out.")
    return False


def _tls_of(root: Path | None, certificate: Path | None, key: Path | None) -> ServerTls | None:
    if root is None and certificate is None and key is None:
        return None
    if root is None or certificate is None or key is None:
        raise UsageFailedError("--tls-root, --tls-certificate and --tls-key go together")
    texts = [path.read_text(encoding="ascii") for path in (root, certificate, key)]
    return ServerTls(root=texts[0], certificate=texts[1], key=texts[2])


def _show_status(found: ChaincodeStatus) -> None:
    there = found.committed
    show(
        f"in force: version {there.version}, sequence {there.sequence}" if there else "in force: -"
    )
    show_table(
        ("organisation", "approved", "package", "installed"),
        (
            (
                each.msp_id,
                each.approved.version if each.approved else "-",
                (each.approved.package_id or "-")[:_PACKAGE_ID] if each.approved else "-",
                " ".join(package_id[:_PACKAGE_ID] for package_id in each.installed),
            )
            for each in found.organisations
        ),
    )
    for line in found.unfinished:
        show(line)


def _status_wire(found: ChaincodeStatus) -> JsonObject:
    there = found.committed
    return {
        "committed": {"version": there.version, "sequence": there.sequence} if there else None,
        "organisations": [
            {
                "mspId": each.msp_id,
                "installed": list(each.installed),
                "approvedVersion": each.approved.version if each.approved else None,
                "approvedPackageId": each.approved.package_id if each.approved else None,
            }
            for each in found.organisations
        ],
        "unfinished": list(found.unfinished),
        "problems": list(found.problems),
    }
