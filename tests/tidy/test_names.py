"""House rules on names: each metric and each world-state key is spelt in one place."""

import ast
import re
from typing import Final

from gx.telemetry.catalogue import CATALOGUE
from tests.tidy.sources import SOURCE, Source, sources, strings

VAGUE: Final = {"utils", "helpers", "common", "manager", "managers", "base", "misc"}
KEY_PREFIXES: Final = re.compile(r"^(account|user|cmd|stats|bio|biometric|fee|admin|param)_$")
NAMING: Final = ("src/gx/telemetry/catalogue", "src/gx/telemetry/instruments.py")
LOG_METHODS: Final = {"debug", "info", "warning", "error", "exception", "critical"}
LOG_CALL: Final = re.compile(r"(log|LOG)\s*\.")


def test_metric_names_stand_in_the_catalogue_alone() -> None:
    """A renamed metric breaks the build, not the dashboard."""
    names = {metric.name for metric in CATALOGUE}
    spelt = [
        f"{source.path}:{line} {text}"
        for source in sources("src")
        if not source.path.startswith(NAMING)
        for line, text in strings(source)
        if text in names and not _is_common_word(text)
    ]
    assert not spelt, "\n".join(spelt)


def test_world_state_keys_stand_in_the_keys_module_alone() -> None:
    """One module knows how the ledger's keys are made; what readers may know is in the domain."""
    owners = {"src/gx/contracts/keys.py", "src/gx/domain/world_state.py"}
    spelt = [
        f"{source.path}:{line} {text}"
        for source in sources("src")
        if source.path not in owners
        for line, text in strings(source)
        if KEY_PREFIXES.match(text)
    ]
    assert not spelt, "\n".join(spelt)


def test_modules_are_named_for_what_they_hold() -> None:
    """`utils` holds whatever nobody had a name for."""
    vague = [
        path.relative_to(SOURCE).as_posix() for path in SOURCE.rglob("*.py") if path.stem in VAGUE
    ]
    assert not vague


def test_nothing_is_left_unimplemented() -> None:
    """What is not there yet is not in the tree; a declared route answers 501."""
    stubs = [
        f"{source.path}:{node.lineno}"
        for source in sources("src")
        if "NotImplementedError" in source.text
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Name) and node.id == "NotImplementedError"
    ]
    assert not stubs


def test_log_events_are_constants() -> None:
    """A log event is a name with fields: no f-string, no formatting, snake_case."""
    faults = []
    for source in sources("src"):
        for call in _log_calls(source):
            event = call.args[0] if call.args else None
            if not isinstance(event, ast.Constant) or not re.fullmatch(
                r"[a-z][a-z0-9]*(_[a-z0-9]+)*", str(event.value)
            ):
                faults.append(f"{source.path}:{call.lineno}")
    assert not faults, "\n".join(faults)


def _log_calls(source: Source) -> list[ast.Call]:
    if not LOG_CALL.search(source.text):
        return []
    return [
        node
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in LOG_METHODS
        and (
            (isinstance(node.func.value, ast.Name) and node.func.value.id in {"log", "_log", "LOG"})
            or (isinstance(node.func.value, ast.Attribute) and node.func.value.attr == "_log")
        )
    ]


def _is_common_word(name: str) -> bool:
    return "_" not in name
