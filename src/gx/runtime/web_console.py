"""The console as a process of the local stack: it is started here and never imported.

It looks at the stack from outside, as a browser would: by the addresses that it is given.
"""

import sys
from collections.abc import Mapping
from typing import Final

from gx.monitoring.model import Links
from gx.runtime.ports import PortNeed
from gx.runtime.process import ProcessSpec
from gx.runtime.readiness import HttpReady
from gx.runtime.settings import ConsoleSettings, MonitoringSettings

CONSOLE: Final = "console"
CONSOLE_URL: Final = "console"
"""The name of its address among a stack's addresses."""


def console_address(settings: ConsoleSettings) -> str:
    """Return where people open it."""
    return f"http://{settings.host}:{settings.port}"


def console_links(settings: ConsoleSettings, pages: MonitoringSettings) -> Links:
    """Return where alerts link to: the settings', or this console wherever it listens."""
    named, address = pages.model_fields_set, console_address(settings)
    runbooks, dashboards = f"{address}/runbooks", f"{address}/dashboards"
    return Links(
        runbooks=pages.runbook_base_url if "runbook_base_url" in named else runbooks,
        dashboards=pages.dashboard_base_url if "dashboard_base_url" in named else dashboards,
    )


def console_process(
    settings: ConsoleSettings,
    environment: Mapping[str, str],
    *,
    sources: Mapping[str, str],
    scrape_interval_s: int,
) -> ProcessSpec:
    """Run it beside the stack; a stack works without it, so it does not hold up the start.

    `sources` are addresses by their setting's field; one that the user named stays.
    """
    found = {"scrape_interval_s": str(scrape_interval_s), **sources}
    variables = {
        f"GX_CONSOLE_{name.upper()}": value
        for name, value in found.items()
        if name not in settings.model_fields_set
    }
    return ProcessSpec(
        name=CONSOLE,
        command=(sys.executable, "-m", "gx.cli.main", "console", "serve"),
        environment={**environment, **variables},
        readiness=HttpReady(url=f"{console_address(settings)}/readyz"),
        ports=(PortNeed(port=settings.port, setting="GX_CONSOLE_PORT", host=settings.host),),
        is_optional=True,
    )
