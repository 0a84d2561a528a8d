"""Puts recording rules into the expressions that read them, so that a history needs no recordings.

A recorded series is replaced by what records it; a range over it becomes a subquery at the pace
at which it would have been recorded. What is read of a recording is what Prometheus would have
recorded, with two exceptions: it is there from the first sample on, and it does not linger for
the five minutes of staleness after its source has gone.
"""

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

import promql_parser as ast

from gx.domain.errors import GxError
from gx.monitoring.selectors import escape
from gx.proof.backtest.rules import RecordingRule

DEPTH_MAX: Final = 20
_MARK: Final = "gx_kept"

_STRING: Final = r'"(?:\\.|[^"\\])*"|\'(?:\\.|[^\'\\])*\'|`[^`]*`'
_BRACES: Final = rf"\{{(?:{_STRING}|[^{{}}\"'`])*\}}"
# What is not to be looked into: strings, comments, lists of labels, matchers; then names.
_TOKEN: Final = re.compile(
    rf"(?P<string>{_STRING})"
    r"|(?P<comment>\#[^\n]*)"
    r"|(?P<grouping>\b(?:by|without|on|ignoring|group_left|group_right)\s*\([^)]*\))"
    rf"|(?P<name>[a-zA-Z_:][\w:]*)(?P<braces>\s*{_BRACES})?"
    r"(?P<range>\s*\[[^\]]*\])?(?P<offset>\s*\boffset\s+-?\w+)?(?P<at>\s*@)?"
    rf"|(?P<bare>{_BRACES})"
    r"|\d[\w.]*",
    re.IGNORECASE,
)


class InliningError(GxError):
    """An expression reads a recording in a way that cannot be replaced; the text says which."""


class Inliner:
    """Replaces what a rule set records by the rules that record it, at any depth."""

    def __init__(self, recordings: Iterable[RecordingRule]) -> None:
        self._rules: dict[str, list[RecordingRule]] = {}
        for rule in recordings:
            self._rules.setdefault(rule.name, []).append(rule)

    def inline(self, expr: str) -> str:
        """Return the expression without any recorded series.

        Raises:
            InliningError: Recordings read each other in a circle, or one is read with `@`.
        """
        return self._inline(expr, 0)

    def _inline(self, expr: str, depth: int) -> str:
        if depth > DEPTH_MAX:
            raise InliningError(f"recording rules read each other in a circle: {expr[:200]}")
        replace: Callable[[re.Match[str]], str] = lambda found: self._replaced(found, depth)  # noqa: E731 (named for its type)
        return _TOKEN.sub(replace, expr)

    def _replaced(self, found: re.Match[str], depth: int) -> str:
        name = found["name"]
        if name is None or name not in self._rules:
            return found[0]
        if found["at"]:
            raise InliningError(f"{name} is recorded and read with @, which cannot be replaced")
        matchers = _parse_matchers(found["braces"] or "")
        rules = _possible(self._rules[name], matchers)
        if not rules:
            return _placed("(vector(0) < 0)", found, self._rules[name][0].interval_s)
        inner = " or ".join(f"({self._recorded(rule, matchers, depth)})" for rule in rules)
        return _placed(f"({inner})", found, rules[0].interval_s)

    def _recorded(self, rule: RecordingRule, matchers: Sequence[ast.Matcher], depth: int) -> str:
        """Return what a rule records, narrowed by matchers on labels that it does not set."""
        text = self._inline(rule.expr, depth + 1)
        for label, value in rule.labels:
            text = _replace_label(text, label, value)
        own = dict(rule.labels)
        for matcher in matchers:
            if matcher.name not in own:
                text = _narrowed(text, matcher)
        return text


def _placed(inner: str, found: re.Match[str], interval_s: int) -> str:
    """Give an expression the range and the offset that the recorded series was read with."""
    offset: str = found["offset"] or ""
    if found["range"]:
        window = found["range"].strip()[1:-1]
        return f"{inner}[{window if ':' in window else f'{window}:{interval_s}s'}]{offset}"
    if offset:  # only selectors and subqueries have one
        return f"last_over_time({inner}[1s:1s]{offset})"
    return inner


def _parse_matchers(braces: str) -> Sequence[ast.Matcher]:
    if not braces.strip():
        return ()
    parsed = ast.parse(f"recorded{braces.strip()}")
    assert isinstance(parsed, ast.VectorSelector)  # noqa: S101 (a name with braces is nothing else)
    return parsed.matchers.matchers


def _possible(
    rules: Iterable[RecordingRule], matchers: Sequence[ast.Matcher]
) -> list[RecordingRule]:
    """Keep the rules whose own labels are asked for."""
    return [rule for rule in rules if _agrees(dict(rule.labels), matchers)]


def _agrees(labels: Mapping[str, str], matchers: Sequence[ast.Matcher]) -> bool:
    for matcher in matchers:
        if matcher.name in labels:
            found = re.fullmatch(_pattern(matcher), labels[matcher.name]) is not None
            if found is _is_negative(matcher):
                return False
    return True


def _narrowed(text: str, matcher: ast.Matcher) -> str:
    """Keep the samples that a matcher keeps: marked by it, then selected by the mark."""
    pattern = json.dumps(_pattern(matcher), ensure_ascii=False)
    marked = f'label_replace({text}, "{_MARK}", "1", "{matcher.name}", {pattern})'
    chosen = _replace_label("vector(1)", _MARK, "1")
    operator = "unless" if _is_negative(matcher) else "and"
    return _replace_label(f"({marked} {operator} on ({_MARK}) {chosen})", _MARK, "")


def _replace_label(text: str, label: str, value: str) -> str:
    literal = json.dumps(value.replace("$", "$$"), ensure_ascii=False)
    return f'label_replace({text}, "{label}", {literal}, "", "")'


def _pattern(matcher: ast.Matcher) -> str:
    is_pattern = str(matcher.op) in {"MatchOp.Re", "MatchOp.NotRe"}
    return matcher.value if is_pattern else escape(matcher.value)


def _is_negative(matcher: ast.Matcher) -> bool:
    return str(matcher.op) in {"MatchOp.NotEqual", "MatchOp.NotRe"}
