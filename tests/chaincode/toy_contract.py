"""A contract of three commands and a query, to test the SDK apart from the real contracts."""

from dataclasses import dataclass
from typing import ClassVar

from gx.chaincode.context import Context, Effect
from gx.chaincode.dispatch import Registry
from gx.chaincode.executor import Executor
from gx.chaincode.functions import evaluate, submit
from gx.domain.arguments import Argument, Arguments, Identifier, Integer
from gx.domain.codec import JsonObject, Record
from gx.domain.commands import Access, Area, CommandSpec, FunctionSpec
from gx.domain.events import Event
from gx.domain.refusals import RefusalCode, RefusedError
from gx.domain.roles import LedgerRole
from gx.domain.scopes import exclusive

NAME = Argument(name="name", kind=Identifier(), description="A counter.", example="apples")
STEP = Argument(
    name="step", kind=Integer(minimum=0, maximum=100), description="How many.", example=1
)


def a_spec(function: str, *, actor_argument: str | None = None) -> CommandSpec:
    """Declare a command of the toy contract."""
    return CommandSpec(
        wire_name=function.upper(),
        area=Area.ADMIN,
        function=f"Toy:{function}",
        path=f"/toy/{function}",
        access=Access.ADMIN,
        roles=frozenset({LedgerRole.ADMIN, LedgerRole.PARTNER_API}),
        arguments=(NAME, STEP),
        scopes=exclusive,
        events=(Counted,),
        read_models=(),
        refusals=(),
        summary="Count.",
        actor_argument=actor_argument,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Counter(Record):
    """A number under a name."""

    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted(Event):
    """A counter went up."""

    WIRE_NAME: ClassVar[str] = "Counted"

    name: str
    count: int


COUNT = a_spec("Count")
COUNT_OWN = a_spec("CountOwn", actor_argument="name")
CRASH = a_spec("Crash")
READ = FunctionSpec(function="Toy:Read", arguments=(NAME,), summary="A counter's number.")
COMMANDS = {spec.function: spec for spec in (COUNT, COUNT_OWN, CRASH)}
QUERIES = {READ.function: READ}


def count_up(context: Context, arguments: Arguments) -> Effect:
    """Add the step, then refuse if the sum exceeds 100: a refusal after a write."""
    name = arguments.text("name")
    before = context.state.find(name, Counter)
    count = arguments.integer("step") + (0 if before is None else before.count)
    context.state.put(name, Counter(count=count))
    if count > 100:
        raise RefusedError(RefusalCode.AMOUNT_OVERFLOW, f"{name} would be {count}")
    event = Counted(timestamp=context.timestamp_s, name=name, count=count)
    second = Counted(timestamp=context.timestamp_s, name=context.actor, count=0)
    return Effect(events=(event, second), result={"count": count})


def crash(context: Context, arguments: Arguments) -> Effect:
    """Write, then fail as only a defect does."""
    context.state.put(arguments.text("name"), Counter(count=666))
    raise ZeroDivisionError


def read(context: Context, arguments: Arguments) -> JsonObject:
    """Return the counter's number."""
    counter = context.state.find(arguments.text("name"), Counter)
    if counter is None:
        raise RefusedError(RefusalCode.ACCOUNT_NOT_FOUND, "no such counter")
    return {"count": counter.count}


def closed_gate(context: Context, _spec: CommandSpec) -> None:
    """Refuse everything while the ledger holds a counter named `gate`."""
    if context.state.find("gate", Counter) is not None:
        raise RefusedError(RefusalCode.SYSTEM_PAUSED, "the gate is closed")


FUNCTIONS = (
    submit(COUNT, keys=lambda arguments, _actor: (arguments["name"],))(count_up),
    submit(COUNT_OWN)(count_up),
    submit(CRASH)(crash),
    evaluate(READ.function)(read),
)


def a_registry() -> Registry:
    """Build the registry of the toy contract."""
    return Registry(
        FUNCTIONS, gate=closed_gate, shared_keys=("gate",), commands=COMMANDS, queries=QUERIES
    )


def an_executor() -> Executor:
    """Build what a ledger would call."""
    return Executor(a_registry())
