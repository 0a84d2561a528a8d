"""`gx deadman`: the dead-man's receiver."""

import asyncio
from typing import Annotated

import typer

from gx.cli.failures import CheckFailedError, UsageFailedError
from gx.cli.output import show_fields
from gx.runtime.processes.deadman import run_deadman, send_test

app = typer.Typer(add_completion=False)


@app.command("deadman")
def deadman(
    test: Annotated[
        bool,
        typer.Option("--test", help="Tell every receiver of an incident and its end, and exit."),
    ] = False,
) -> None:
    """Speak when alerting itself falls silent.

    Alertmanager posts the alert that always fires to /heartbeat, once a
    minute. When none came for three periods, Slack, PagerDuty and a webhook
    are told, each if its address is in a file that a setting names; and told
    again when heartbeats come back. A restart forgets nothing.

    Run it outside of what it watches: on another machine, in another zone.
    /status says what it knows; /livez, /readyz and /metrics are there too.
    With --test it exits with 1 if a receiver does not take the message.

    Examples:
      gx deadman
      GX_DEADMAN_SLACK_URL_FILE=/etc/gx/slack-url gx deadman --test
      GX_DEADMAN_HOST=0.0.0.0 GX_DEADMAN_TOKEN_FILE=/etc/gx/token gx deadman
    """
    if not test:
        run_deadman()
        return
    faults = asyncio.run(send_test())
    if not faults:
        raise UsageFailedError(
            "there is nobody to tell: name a file in GX_DEADMAN_SLACK_URL_FILE, "
            "GX_DEADMAN_PAGERDUTY_KEY_FILE or GX_DEADMAN_WEBHOOK_URL_FILE"
        )
    show_fields((name, fault or "told") for name, fault in faults.items())
    if wrong := [name for name, fault in faults.items() if fault]:
        raise CheckFailedError(f"not told: {', '.join(wrong)}")
