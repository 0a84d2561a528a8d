"""`gx alert`: what alerting does with an alert."""

import asyncio
from typing import TYPE_CHECKING, Annotated
from uuid import uuid4

import typer

from gx.cli.failures import CheckFailedError, NotRunningError, UsageFailedError
from gx.cli.options import JsonOption
from gx.cli.output import say, show_json, show_table
from gx.monitoring.model import Severity
from gx.runtime.clock import SystemClock
from gx.runtime.settings import Environment

if TYPE_CHECKING:
    from gx.proof.alert_test import Told

app = typer.Typer(name="alert", no_args_is_help=True, add_completion=False)


@app.callback()
def group() -> None:
    """Send a test alert through a production route.

    Examples:
      gx alert test --alertmanager http://127.0.0.1:30093
    """


@app.command("test")
def send_test(
    alertmanager: Annotated[str, typer.Option("--alertmanager", help="Its address.")],
    environment: Annotated[
        Environment, typer.Option("--environment", help="As if it were about this one.")
    ] = Environment.DEVNET,
    severity: Annotated[
        Severity, typer.Option("--severity", help="critical or warning.")
    ] = Severity.WARNING,
    timeout: Annotated[
        float, typer.Option("--timeout", min=1, help="Seconds to wait for each notification.")
    ] = 420,
    as_json: JsonOption = False,
) -> None:
    """Send one labelled test alert through a production route, and resolve it.

    Its labels route it like an alert of that environment and severity:
    `--environment mainnet --severity critical` pages. It waits until the
    notification counters of each receiver's integrations rise without a
    failure, once when it fires and once when it is over; the second takes a
    group interval, five minutes. A receiver without an integration tells
    nobody.

    Exits with 1 if a receiver was not told, told nobody, or its
    notifications failed, 3 if Alertmanager does not answer.

    Examples:
      gx alert test --alertmanager http://127.0.0.1:30093
      gx alert test --alertmanager http://am:9093 --severity critical --json
    """
    from gx.proof.alert_test import (  # noqa: PLC0415 (--help)
        AlertmanagerUnreachableError,
        labels_of_test,
        send_test_alert,
    )

    if severity is Severity.NONE:
        raise UsageFailedError("an alert of severity none goes to the dead-man's receiver alone")
    labels = labels_of_test(environment=environment.value, severity=severity, run=uuid4().hex[:8])
    sending = send_test_alert(
        alertmanager, labels, clock=SystemClock(), timeout_s=timeout, report=say
    )
    try:
        told = asyncio.run(sending)
    except AlertmanagerUnreachableError as error:
        raise NotRunningError(str(error)) from error
    _show(told, as_json=as_json)


def _show(told: "tuple[Told, ...]", *, as_json: bool) -> None:
    if as_json:
        show_json(
            {
                "ok": bool(told) and all(each.is_good for each in told),
                "receivers": [
                    {
                        "receiver": each.receiver,
                        "integrations": list(each.integrations),
                        "told": each.is_told,
                        "toldOfEnd": each.is_told_of_end,
                        "failed": each.failed,
                    }
                    for each in told
                ],
            }
        )
    else:
        show_table(
            ("receiver", "by", "told", "told of the end", "failed>"),
            (
                (
                    each.receiver,
                    ", ".join(each.integrations) or "(only keeps alerts)",
                    _word(each, is_so=each.is_told),
                    _word(each, is_so=each.is_told_of_end),
                    str(each.failed),
                )
                for each in told
            ),
        )
    if not told:
        raise CheckFailedError("no receiver got the alert")
    if wrong := [each.receiver for each in told if not each.is_good]:
        raise CheckFailedError(f"not told, or not without a failure: {', '.join(wrong)}")


def _word(told: "Told", *, is_so: bool) -> str:
    if not told.integrations:
        return "nobody"
    return "yes" if is_so else "no"
