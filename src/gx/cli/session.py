"""Which API a subcommand talks to, and with which token; then the talk itself."""

import asyncio
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from typing import Final, TypeVar

from gx.cli.failures import NotRunningError
from gx.cli.output import say
from gx.client.client import GxClient, open_client
from gx.client.requests import API_PREFIX
from gx.client.retry import RetryPolicy
from gx.client.transport import ClientSettings
from gx.domain.roles import TokenRole
from gx.operations.credentials import Credentials
from gx.runtime.clock import SystemClock
from gx.runtime.settings import ApiSettings, CliSettings, CommonSettings, load
from gx.runtime.stack import API_URL, stack_folder

T = TypeVar("T")

SUBJECT: Final = "gx-cli"
EVERYBODY: Final = ("*",)
_PATIENCE: Final = RetryPolicy(attempts_max=4)  # a person waits: under a second in all
_TTL_S: Final = 3_600


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What the user named: the options `--url` and `--token`."""

    url: str | None = None
    token: str | None = None


def talk(target: Target, role: TokenRole | None, work: Callable[[GxClient], Awaitable[T]]) -> T:
    """Do `work` with a client that has a token of this role; None needs no token."""
    token = None if role is None else resolve_token(target.token, role)
    settings = ClientSettings(base_url=resolve_url(target.url), token=token, retry=_PATIENCE)
    return asyncio.run(_talk(settings, work))


async def _talk(settings: ClientSettings, work: Callable[[GxClient], Awaitable[T]]) -> T:
    async with open_client(settings) as client:
        return await work(client)


def resolve_url(named: str | None) -> str:
    """Return the API's address: named, of the environment, or of the running stack.

    Raises:
        NotRunningError: nobody said where it is, and no local stack runs.
    """
    return _without_prefix(named or load(CliSettings).url or stack_url())


def stack_url() -> str:
    """Return the address of the running local stack's API.

    Raises:
        NotRunningError: none runs.
    """
    folder = stack_folder()
    state = folder.read() if folder.is_running() else None
    if state is None or API_URL not in state.urls:
        raise NotRunningError(
            f"no local stack runs on {folder.root}: start it with `gx up`, "
            "or name the API with --url or GX_URL"
        )
    return _without_prefix(state.urls[API_URL])


def _without_prefix(url: str) -> str:
    return url.rstrip("/").removesuffix(API_PREFIX)


def resolve_token(named: str | None, role: TokenRole) -> str:
    """Return the bearer token: named, of the environment, or made by the local issuer."""
    given = load(CliSettings).token
    token = named or (given.get_secret_value() if given is not None else None)
    return token or issue_announced(role)


def resolve_credentials(super_admin: str | None, partner: str | None) -> Credentials:
    """Return the tokens of an operation that acts in both roles."""
    given = load(CliSettings).partner_token
    named = partner or (given.get_secret_value() if given is not None else None)
    return Credentials(
        super_admin=resolve_token(super_admin, TokenRole.SUPER_ADMIN),
        partner=named or issue_announced(TokenRole.PARTNER),
    )


def issue_announced(role: TokenRole) -> str:
    """Make a token of the local issuer, and say so."""
    act_for = EVERYBODY if role in (TokenRole.PARTNER, TokenRole.ADMIN) else ()
    token = issue_token(role, subject=SUBJECT, act_for=act_for, ttl_s=_TTL_S)
    say(f"(no token named: using one of the local issuer, role {role}, subject {SUBJECT})")
    return token


def issue_token(role: TokenRole, *, subject: str, act_for: Collection[str], ttl_s: int) -> str:
    """Sign a token with the local issuer's key.

    Raises:
        IssuerRefusedError: the environment is not devnet, or the token would be useless.
    """
    from gx.api.issuer import Claims, LocalIssuer  # noqa: PLC0415 (a named token needs no key)

    api, common = load(ApiSettings), load(CommonSettings)
    is_named = "keys_dir" in api.model_fields_set
    issuer = LocalIssuer.open(
        api.keys_dir if is_named else common.data_dir / "keys",
        issuer=api.token_issuer,
        audience=api.token_audience,
        clock=SystemClock(),
        environment=common.environment,
    )
    return issuer.issue(Claims(subject=subject, role=role, act_for=act_for, ttl_s=ttl_s))
