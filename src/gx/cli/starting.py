"""What `gx up` shows: progress while it starts, addresses when it runs; and its little traffic."""

import asyncio
from collections.abc import Sequence
from typing import Final

from gx.cli.output import say, show, show_fields
from gx.cli.session import EVERYBODY, issue_token, stack_url
from gx.client.client import open_client
from gx.client.transport import ClientSettings
from gx.domain.errors import GxError
from gx.domain.roles import TokenRole
from gx.operations.bootstrap import bootstrap
from gx.operations.credentials import Credentials
from gx.operations.load.client_books import ClientBooks
from gx.operations.load.mix import DEFAULT_MIX, parse_mix
from gx.operations.load.plan import LoadPlan
from gx.operations.load.run import LoadRun
from gx.runtime.local_stack import Plan
from gx.runtime.process import ItemState, ItemStatus
from gx.runtime.stack import StackFolder

SUBJECT: Final = "gx-up"
_TOKEN_TTL_S: Final = 8 * 3_600
_DEMO_RATE_PER_S: Final = 10
_DEMO_DURATION_S: Final = 30
_DEMO_TEXT_MAX: Final = 160
_TOLD: Final = {
    ItemState.READY: "ready",
    ItemState.UNREADY: "unready",
    ItemState.DONE: "done",
    ItemState.BACKOFF: "ended",
    ItemState.FAILED: "failed",
}


def own_token(role: TokenRole) -> str:
    """Make a token for what `gx up` does itself."""
    act_for = EVERYBODY if role is TokenRole.PARTNER else ()
    return issue_token(role, subject=SUBJECT, act_for=act_for, ttl_s=_TOKEN_TTL_S)


async def bootstrap_stack() -> None:
    """Create the pools and open the countries, as far as that is not done."""
    settings = ClientSettings(base_url=stack_url(), token=own_token(TokenRole.SUPER_ADMIN))
    async with open_client(settings) as client:
        await bootstrap(client)


class UpObserver:
    """Tells people what the stack does. See `gx.runtime.process.StackObserver`."""

    def __init__(self, folder: StackFolder, *, with_demo: bool) -> None:
        self._folder = folder
        self._with_demo = with_demo
        self._plan: Plan | None = None
        self._demo: asyncio.Task[None] | None = None

    def announce(self, plan: Plan) -> "UpObserver":
        """Take note of the plan; it is told before anything starts."""
        self._plan = plan
        for notice in plan.notices:
            say(f"Note: {notice}")
        names = ", ".join(item.name for item in plan.items)
        say(f"Starting in {self._folder.root}: {names}")
        return self

    def item_changed(self, status: ItemStatus) -> None:
        """Tell what is ready, and what went wrong."""
        told = _TOLD.get(status.state)
        if told is not None:
            say(f"  {status.name:<16} {told}{f': {status.detail}' if status.detail else ''}")

    def stack_ready(self, elapsed_s: float) -> None:
        """Print where everything is and what to type next."""
        say(f"Everything runs after {elapsed_s:.1f} s. Ctrl-C stops all of it; its data stays.")
        if self._plan is not None:
            show("")
            show_fields(self._plan.urls.items())
        show("")
        show(f"A token for 8 h (super_admin): {own_token(TokenRole.SUPER_ADMIN)}")
        show("")
        show("Next, in another terminal (each makes its own token):")
        for line in _NEXT:
            show(f"  {line}")
        if self._with_demo:
            self._demo = asyncio.get_running_loop().create_task(send_demo())


_NEXT: Final = (
    "gx user create alice --nationality US --age 34",
    "gx genesis alice",
    "gx balance alice",
    "gx smoke",
    "gx load --rate 100 --duration 10s",
    "gx status; gx logs -f; gx down",
)


async def send_demo() -> None:
    """Send a little traffic, and tell how it went."""
    credentials = Credentials(
        super_admin=own_token(TokenRole.SUPER_ADMIN), partner=own_token(TokenRole.PARTNER)
    )
    plan = LoadPlan(
        rate_per_s=_DEMO_RATE_PER_S, duration_s=_DEMO_DURATION_S, mix=parse_mix(DEFAULT_MIX)
    )
    base_url = stack_url()
    say(f"Demo: sending {plan.total} commands in {_DEMO_DURATION_S} s ...")
    try:
        async with open_client(
            ClientSettings(base_url=base_url, token=credentials.partner)
        ) as client:
            run = LoadRun(
                plan,
                base_url=base_url,
                credentials=credentials,
                books=ClientBooks(client),
                observe=lambda _: None,
            )
            report = await run.execute()
    except GxError as error:
        say(f"Demo: {_brief(str(error))}")
        return
    say(f"Demo: {report.accepted} commands accepted; {demo_ending(report.problems)}.")


def demo_ending(problems: Sequence[str]) -> str:
    """Sum up what the demo found in a line; `gx load` tells all of it."""
    if not problems:
        return "all took effect, and the books balance"
    more = f" (and {len(problems) - 1} more: try `gx load`)" if len(problems) > 1 else ""
    return f"{_brief(problems[0])}{more}"


def _brief(text: str) -> str:
    line = text.partition("\n")[0]
    return line if len(line) <= _DEMO_TEXT_MAX else f"{line[:_DEMO_TEXT_MAX]} ..."
