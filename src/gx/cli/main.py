"""`gx`: the list of its subcommands, and the one place where failures become exit codes."""

from collections.abc import Sequence
from typing import Annotated, ClassVar, cast

import typer
from typing_extensions import override

from gx import __version__
from gx.cli.lazy import Entry, LazyGroup

_STACK = "The local stack"
_MONEY = "Money and people"
_ADMIN = "Administration"
_WATCH = "Commands on their way"
_LOOK = "Ledger and read models"
_PROVE = "Trying it out"
_SERVE = "Processes"

ENTRIES = (
    Entry("up", "gx.cli.up", "Start the whole system on this machine.", _STACK),
    Entry("status", "gx.cli.stack", "Show what of the local stack runs.", _STACK),
    Entry("logs", "gx.cli.stack", "Show what the stack's processes say.", _STACK),
    Entry("restart", "gx.cli.stack", "Stop one process of the local stack.", _STACK),
    Entry("down", "gx.cli.stack", "Stop the local stack.", _STACK),
    Entry("fabric", "gx.cli.fabric", "Run a native Hyperledger Fabric network.", _STACK),
    Entry("token", "gx.cli.token", "Issue a bearer token of the local issuer.", _STACK),
    Entry("user", "gx.cli.user", "Register, show, lock and unlock users.", _MONEY),
    Entry(
        "relationship",
        "gx.cli.relationship",
        "Request, confirm and list relationships.",
        _MONEY,
    ),
    Entry(
        "organization",
        "gx.cli.organization",
        "Propose, endorse and activate organisations.",
        _MONEY,
    ),
    Entry(
        "genesis", "gx.cli.money", "Pay a user, and the user's country, the genesis coins.", _MONEY
    ),
    Entry("transfer", "gx.cli.money", "Pay coins from one account to another.", _MONEY),
    Entry("balance", "gx.cli.money", "Show an account's balance.", _MONEY),
    Entry("entries", "gx.cli.money", "Show what changed an account's balance.", _MONEY),
    Entry("supply", "gx.cli.money", "Show how many coins there are.", _MONEY),
    Entry("pools", "gx.cli.money", "Show the system accounts.", _MONEY),
    Entry("loan", "gx.cli.loan", "Ask for loans from the loan pool.", _MONEY),
    Entry("wallet", "gx.cli.wallet", "Freeze and unfreeze wallets.", _MONEY),
    Entry("bootstrap", "gx.cli.bootstrap", "Create the pools and open the countries.", _ADMIN),
    Entry("mint", "gx.cli.money", "Create coins on an account.", _ADMIN),
    Entry("country", "gx.cli.country", "List, show and open countries.", _ADMIN),
    Entry("treasury", "gx.cli.treasury", "Show and activate treasuries.", _ADMIN),
    Entry("fees", "gx.cli.fees", "Foretell and collect fees.", _ADMIN),
    Entry("tax", "gx.cli.tax", "Foretell and apply the velocity tax.", _ADMIN),
    Entry("param", "gx.cli.param", "Show and set system parameters.", _ADMIN),
    Entry("proposal", "gx.cli.proposal", "Propose other values for system parameters.", _ADMIN),
    Entry("system", "gx.cli.system", "Show whether the system takes commands.", _ADMIN),
    Entry("pause", "gx.cli.system", "Refuse every write until the system is resumed.", _ADMIN),
    Entry("resume", "gx.cli.system", "Take writes again after a pause.", _ADMIN),
    Entry("admin", "gx.cli.admin", "Appoint administrators.", _ADMIN),
    Entry("command", "gx.cli.command", "Show, watch and list commands.", _WATCH),
    Entry("dead-letters", "gx.cli.dead_letters", "Handle given-up commands.", _WATCH),
    Entry("ledger", "gx.cli.ledger", "Serve, read and verify the local ledger.", _LOOK),
    Entry("projection", "gx.cli.projection", "Run, show and rebuild the read models.", _LOOK),
    Entry("reconcile", "gx.cli.reconcile", "Compare ledger, read models and outbox.", _LOOK),
    Entry("monitoring", "gx.cli.monitoring", "Write, check and explain alerts.", _LOOK),
    Entry("doctor", "gx.cli.doctor", "Find out why there is no data.", _PROVE),
    Entry("verify", "gx.cli.verify", "Verify the monitoring of a running system.", _PROVE),
    Entry("reachability", "gx.cli.reachability", "Say from manifests what reaches what.", _PROVE),
    Entry("backtest", "gx.cli.backtest", "Say what alerts would have done.", _PROVE),
    Entry("baseline", "gx.cli.baseline", "Measure the alerts' numbers.", _PROVE),
    Entry("smoke", "gx.cli.smoke", "Check the whole loop once, step by step.", _PROVE),
    Entry("load", "gx.cli.load", "Send many commands on a fixed schedule.", _PROVE),
    Entry("drill", "gx.cli.drill", "Make a fault, and see who is told.", _PROVE),
    Entry("alert", "gx.cli.alert", "Send a test alert through a production route.", _PROVE),
    Entry("api", "gx.cli.api", "Serve the HTTP API.", _SERVE),
    Entry("console", "gx.cli.console", "Serve the web console.", _SERVE),
    Entry("chaincode", "gx.cli.chaincode", "Serve, call and deploy the contracts.", _SERVE),
    Entry("outbox", "gx.cli.outbox", "Submit commands to the ledger.", _SERVE),
    Entry("deadman", "gx.cli.deadman", "Speak when alerting itself falls silent.", _SERVE),
    Entry("db", "gx.cli.database", "Migrate the database and show its version.", _SERVE),
    Entry("openapi", "gx.cli.reference", "Write the API's OpenAPI document.", _SERVE),
    Entry("catalogue", "gx.cli.reference", "Write the catalogue.", _SERVE),
    Entry("access", "gx.cli.reference", "Write who may do what.", _SERVE),
    Entry("settings", "gx.cli.reference", "Write the reference of settings.", _SERVE),
)


class GxGroup(LazyGroup):
    """The group `gx`. Whatever fails below ends here as a paragraph and an exit code."""

    ENTRIES: ClassVar[Sequence[Entry]] = ENTRIES

    @override
    def invoke(self, ctx: object) -> object:
        # Imported here: --help must not pay for what only subcommands need.
        from gx.cli.failures import report  # noqa: PLC0415

        try:
            return super().invoke(cast("typer.Context", ctx))
        except Exception as error:
            code = report(error)
            if code is None:
                raise
            raise typer.Exit(code) from error


def _print_version(value: bool) -> None:
    if value:
        print(__version__)
        raise typer.Exit


app = typer.Typer(
    name="gx",
    cls=GxGroup,
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback()
def gx(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Show the version and exit."
        ),
    ] = False,
) -> None:
    """GX Protocol: a permissioned ledger for a digital currency.

    Every subcommand explains itself with --help and shows examples.
    With --json, stdout holds nothing but JSON; all else goes to stderr.

    Examples:
      gx up
      gx user create alice --nationality US --age 34
      gx transfer alice bob 5coin --remark Lunch

    Exit codes: 0 done; 1 it failed, was refused, or a check found something;
    2 what was typed makes no sense; 3 what it needs could not be reached.

    Settings come from the environment: GX_URL and GX_TOKEN say where the API
    is and who asks (else the running stack, and a token of the local issuer);
    GX_DATA_DIR is the stack's folder; GX_DEBUG=1 shows a failure's place.
    """
    del version  # its callback has answered already


def main() -> None:
    """Run `gx` with this process's arguments."""
    app(prog_name="gx")


if __name__ == "__main__":
    main()
