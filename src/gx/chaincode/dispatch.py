"""Which function a call means, and whether it may be made: the same questions for every call.

The order is fixed: a known function (there is no default contract), the caller's role, the
system's state, the arguments, the actor; only then the function itself.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Final, TypeAlias

from gx.chaincode.context import Context, Effect
from gx.chaincode.errors import IncompleteRegistryError
from gx.chaincode.functions import ContractFunction, EvaluateFunction, SubmitFunction
from gx.chaincode.stub import Caller
from gx.domain.arguments import Arguments
from gx.domain.catalogue import COMMANDS_BY_FUNCTION, FUNCTIONS
from gx.domain.codec import JsonObject
from gx.domain.commands import CommandSpec, FunctionSpec
from gx.domain.identifiers import is_reserved
from gx.domain.refusals import RefusalCode, RefusedError
from gx.domain.roles import ADMINS, LedgerRole

Gate: TypeAlias = Callable[[Context, CommandSpec], None]
"""Refuses a command that the system's state forbids: NOT_BOOTSTRAPPED or SYSTEM_PAUSED."""

_MAY_ACT_FOR_USERS: Final = frozenset({LedgerRole.PARTNER_API, LedgerRole.ADMIN})


@dataclass(frozen=True, slots=True)
class PreparedCall:
    """A command's function with its arguments, before anything of the ledger was read.

    A breach in the arguments waits here for its turn in the order of questions.
    """

    function: SubmitFunction
    arguments: Arguments | RefusedError

    def keys(self, actor: str) -> tuple[str, ...]:
        """Name the keys that the call will surely read."""
        if isinstance(self.arguments, RefusedError):
            return ()
        return self.function.keys(self.arguments.as_mapping(), actor)


class Registry:
    """Every contract function of one chaincode, by its wire name."""

    def __init__(
        self,
        functions: Iterable[ContractFunction],
        *,
        gate: Gate,
        shared_keys: tuple[str, ...],
        commands: Mapping[str, CommandSpec] = COMMANDS_BY_FUNCTION,
        queries: Mapping[str, FunctionSpec] = FUNCTIONS,
    ) -> None:
        """Index the functions; `shared_keys` are those that every command reads.

        Raises:
            IncompleteRegistryError: a command or query has no function or two, or a function
                is not in the catalogue; the message names each of them.
        """
        self.shared_keys: Final = shared_keys
        self._gate: Final = gate
        self._queries: Final = queries
        self._submits: Final[dict[str, SubmitFunction]] = {}
        self._evaluates: Final[dict[str, EvaluateFunction]] = {}
        declared = tuple(functions)
        for function in declared:
            if isinstance(function, SubmitFunction):
                self._submits[function.name] = function
            else:
                self._evaluates[function.name] = function
        if faults := _faults(declared, commands, queries):
            raise IncompleteRegistryError(faults)

    def is_query(self, name: str) -> bool:
        """Tell whether `name` is a function that only reads."""
        return name in self._evaluates

    def prepare(self, name: str, args: tuple[str, ...]) -> PreparedCall:
        """Find a command's function and check the arguments.

        Raises:
            RefusedError: UNKNOWN_FUNCTION.
        """
        function = self._submits.get(name)
        if function is None:
            raise RefusedError(
                RefusalCode.UNKNOWN_FUNCTION, f"no contract function {name[:80]!r} takes commands"
            )
        try:
            return PreparedCall(function, Arguments(function.spec.arguments, args))
        except RefusedError as refusal:
            return PreparedCall(function, refusal)

    def run(self, call: PreparedCall, context: Context) -> Effect:
        """Ask the remaining questions in order, then carry the command out.

        Raises:
            RefusedError: the first question that was answered with no, or the function's own
                refusal. The caller undoes what was written.
        """
        spec = call.function.spec
        _require_role(spec, context.caller)
        self._gate(context, spec)
        if isinstance(call.arguments, RefusedError):
            raise call.arguments
        spec.require_role(context.caller.role, call.arguments.as_mapping())
        if spec.actor_argument is not None:
            _require_actor(context, call.arguments.text(spec.actor_argument))
        return call.function.body(context, call.arguments)

    def evaluate(self, name: str, args: tuple[str, ...], context: Context) -> JsonObject:
        """Run a reading function. Any role may.

        Raises:
            RefusedError: its arguments are wrong, or what it looks for does not exist.
        """
        return self._evaluates[name].body(context, Arguments(self._queries[name].arguments, args))


def functions_of(*modules: ModuleType) -> tuple[ContractFunction, ...]:
    """List the contract functions that the modules declare."""
    return tuple(
        value
        for module in modules
        for value in vars(module).values()
        if isinstance(value, SubmitFunction | EvaluateFunction)
    )


def _faults(
    functions: tuple[ContractFunction, ...],
    commands: Mapping[str, CommandSpec],
    queries: Mapping[str, FunctionSpec],
) -> list[str]:
    names = [function.name for function in functions]
    submits = {function.name for function in functions if isinstance(function, SubmitFunction)}
    evaluates = {function.name for function in functions if isinstance(function, EvaluateFunction)}
    return [
        *(f"{name} is declared {names.count(name)} times" for name in _repeated(names)),
        *(f"command {commands[name].wire_name} has no function {name}"
          for name in sorted(set(commands) - submits)),
        *(f"query {name} has no function" for name in sorted(set(queries) - evaluates)),
        *(f"function {name} carries out no command of the catalogue"
          for name in sorted(submits - set(commands))),
        *(f"function {name} is no query of the catalogue"
          for name in sorted(evaluates - set(queries))),
    ]  # fmt: skip


def _repeated(names: list[str]) -> list[str]:
    return sorted({name for name in names if names.count(name) > 1})


def _require_role(spec: CommandSpec, caller: Caller) -> None:
    if caller.role not in spec.roles:
        admitted = ", ".join(sorted(spec.roles))
        raise RefusedError(
            RefusalCode.ROLE_REQUIRED,
            f"{spec.function} admits {admitted}; the caller is {caller.role or 'without a role'}",
        )


def _require_actor(context: Context, owner: str) -> None:
    """Refuse a call about somebody else's account.

    The system's own accounts belong to administrators. A user's belongs to the user, for whom
    only a partner or an administrator may sign.
    """
    role = context.caller.role
    if is_reserved(owner):
        is_admitted = role in ADMINS
    else:
        is_admitted = context.actor == owner and role in _MAY_ACT_FOR_USERS
    if not is_admitted:
        raise RefusedError(
            RefusalCode.ACTOR_MISMATCH,
            f"{context.actor!r}, signed for by {role}, may not act for {owner!r}",
        )
