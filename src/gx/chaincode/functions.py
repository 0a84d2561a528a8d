"""How a contract declares its functions: a decorator ties each to its entry in the catalogue."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from gx.chaincode.context import Context, Effect
from gx.domain.arguments import Arguments
from gx.domain.codec import JsonObject
from gx.domain.commands import CommandSpec

SubmitBody: TypeAlias = Callable[[Context, Arguments], Effect]
EvaluateBody: TypeAlias = Callable[[Context, Arguments], JsonObject]
KeysOf: TypeAlias = Callable[[Mapping[str, str], str], tuple[str, ...]]
"""A pure function of arguments and actor: the keys that a command will surely read."""


def no_keys(_arguments: Mapping[str, str], _actor: str) -> tuple[str, ...]:
    """Name no key: the function's reads are fetched one by one."""
    return ()


@dataclass(frozen=True, slots=True)
class SubmitFunction:
    """A contract function that carries out one command."""

    spec: CommandSpec
    body: SubmitBody
    keys: KeysOf

    @property
    def name(self) -> str:
        """Its wire name, `Contract:Function`."""
        return self.spec.function


@dataclass(frozen=True, slots=True)
class EvaluateFunction:
    """A contract function that only reads."""

    name: str
    body: EvaluateBody


ContractFunction: TypeAlias = SubmitFunction | EvaluateFunction


def submit(spec: CommandSpec, *, keys: KeysOf = no_keys) -> Callable[[SubmitBody], SubmitFunction]:
    """Declare that the function below carries out `spec`'s command."""

    def declare(body: SubmitBody) -> SubmitFunction:
        return SubmitFunction(spec, body, keys)

    return declare


def evaluate(name: str) -> Callable[[EvaluateBody], EvaluateFunction]:
    """Declare that the function below is the reading function `Contract:Function`."""

    def declare(body: EvaluateBody) -> EvaluateFunction:
        return EvaluateFunction(name, body)

    return declare
