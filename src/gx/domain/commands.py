"""What a command, and what a query, is: one declaration from which everything else follows.

From a CommandSpec come the route with its schema and access rule, the contract dispatch with its
role and argument checks, the ordering in the outbox, the start-up assertions and the reference.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from gx.domain.arguments import Argument
from gx.domain.coherence import Coherence, any_arguments
from gx.domain.events import Event
from gx.domain.refusals import RefusalCode, RefusedError
from gx.domain.roles import LedgerRole, TokenRole
from gx.domain.scopes import Scopes


class Access(StrEnum):
    """Who may call a route: the letters of the HTTP API's table."""

    PUBLIC = "public"
    """Anybody, without a token."""
    USER = "user"
    """A user on own data; partners and admins for a user whom their token may act for."""
    PARTNER = "partner"
    ADMIN = "admin"
    """`admin` or `super_admin`."""
    SUPER_ADMIN = "super_admin"

    def admits(self, role: TokenRole) -> bool:
        """Tell whether a token of this role may call the route at all."""
        return role in _ADMITTED[self]

    @property
    def is_administrative(self) -> bool:
        """Tell whether administrators alone are admitted, who then act in their own name."""
        return self in {Access.ADMIN, Access.SUPER_ADMIN}


_ADMITTED = {
    Access.PUBLIC: frozenset(TokenRole),
    Access.USER: frozenset(TokenRole),
    Access.PARTNER: frozenset({TokenRole.PARTNER}),
    Access.ADMIN: frozenset({TokenRole.ADMIN, TokenRole.SUPER_ADMIN}),
    Access.SUPER_ADMIN: frozenset({TokenRole.SUPER_ADMIN}),
}


class Area(StrEnum):
    """The service areas of the HTTP API; also the tags of its OpenAPI document."""

    ADMIN = "admin"
    IDENTITY = "identity"
    TOKENOMICS = "tokenomics"
    ORGANIZATION = "organization"
    LOANS = "loans"
    GOVERNANCE = "governance"
    TAX = "tax"
    COMMANDS = "commands"


RolesOf = Callable[[Mapping[str, str]], frozenset[LedgerRole]]
"""A pure function of a command's arguments: the roles that may sign it."""

ScopesOf = Callable[[Mapping[str, str], str], Scopes]
"""A pure function of a command's arguments (as contract text, by name) and its actor."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandSpec:
    """A request to change the ledger, declared once.

    `function` is `Contract:Function`; `roles` are the signing identities that it admits;
    `access` is who may call `path` (below `/api/v1`); `read_models` are the tables in which the
    effect becomes visible; `refusals` are the codes that its own rules can answer, beside those
    that any command can meet.
    """

    wire_name: str
    area: Area
    function: str
    path: str
    access: Access
    roles: frozenset[LedgerRole]
    arguments: tuple[Argument, ...]
    scopes: ScopesOf
    events: tuple[type[Event], ...]
    read_models: tuple[str, ...]
    refusals: tuple[RefusalCode, ...]
    summary: str
    actor_argument: str | None = None
    """The argument that must name the actor, unless an administrator acts for the system."""
    is_allowed_before_bootstrap: bool = False
    is_allowed_while_paused: bool = False
    method: str = "POST"
    require_coherent: Coherence = any_arguments
    """Refuses arguments that cannot go together, whatever the ledger's state is."""
    roles_by_arguments: RolesOf | None = None
    """Which of `roles` may sign a command with these arguments; None for all of them."""

    def require_role(self, role: LedgerRole | None, by_name: Mapping[str, str]) -> None:
        """Refuse arguments for which another role has to sign.

        Raises:
            RefusedError: ROLE_REQUIRED.
        """
        admitted = (
            self.roles if self.roles_by_arguments is None else self.roles_by_arguments(by_name)
        )
        if role not in admitted:
            names = ", ".join(sorted(admitted))
            raise RefusedError(
                RefusalCode.ROLE_REQUIRED,
                f"{self.wire_name} with these arguments admits {names}, not {role}",
            )

    def argument_values(self, by_name: Mapping[str, str]) -> tuple[str, ...]:
        """Put named arguments in the contract function's order."""
        return tuple(by_name[argument.name] for argument in self.arguments)


def itself(text: str) -> str:
    """Take an id for its own owner."""
    return text


@dataclass(frozen=True, slots=True, kw_only=True)
class QuerySpec:
    """A read of the HTTP API, declared once.

    `owner_parameter` names the path parameter that must tell the caller's own id where `access`
    is USER; `parameters` are those of the query string. A question too long for a path is a
    POST whose body holds the `arguments`; it changes nothing either.
    """

    name: str
    area: Area
    path: str
    access: Access
    summary: str
    read_models: tuple[str, ...]
    owner_parameter: str | None = None
    owner_of: Callable[[str], str] = itself
    """Tells from that parameter whose the data is."""
    parameters: tuple[str, ...] = ()
    organization_parameter: str | None = None
    """Names the path parameter that tells of which organisation the caller must hold a stake."""
    absent: RefusalCode = RefusalCode.NOT_FOUND
    """How it is called when there is no such thing."""
    method: str = "GET"
    arguments: tuple[Argument, ...] = ()
    require_coherent: Coherence = any_arguments
    refusals: tuple[RefusalCode, ...] = ()
    """The codes with which its arguments may be refused."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionSpec:
    """A contract function that only reads. Any role may evaluate it."""

    function: str
    arguments: tuple[Argument, ...]
    summary: str
