"""Why a query has no samples: its parts are evaluated until the one is found that empties it."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import promql_parser as ast

from gx.proof.causes import Cause
from gx.proof.near_names import nearest
from gx.proof.prometheus import LoadedRule, Prometheus, QueryRefusedError, Sample
from gx.proof.syntax import is_equal, is_filter, is_scalar, matchers, parse

_NEEDS_TWO: Final = frozenset({"rate", "irate", "increase", "delta", "idelta", "deriv"})
# Prometheus itself writes them, and only while an alert is pending or fires.
_MAY_BE_ABSENT: Final = frozenset({"ALERTS", "ALERTS_FOR_STATE"})
_SHOWN: Final = 6
# Most of an answer's time is its way; Prometheus evaluates twenty queries at once unless told.
_AT_ONCE: Final = 8
_ESCAPED_QUOTES: Final = {'"': r"\\x22", "'": r"\\x27"}


class Verdict(StrEnum):
    """What a query's answer means, the best first."""

    DATA = "data"
    QUIET = "quiet"
    IDLE = "idle"
    NOT_YET = "not yet"
    EXCUSED = "excused"
    SILENCED = "silenced"
    BROKEN = "broken"


_ORDER: Final[Mapping[Verdict, int]] = {each: place for place, each in enumerate(Verdict)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """What a query has, and if nothing, which part of it (`where`) is empty and why.

    `quiet`: every part has data, and a condition in it does not hold. `idle`: nothing happened in
    its window. `cause` is there when it is broken. `silent_job`: all that is wrong is that
    no target of this scrape job answers.
    """

    verdict: Verdict
    where: str = ""
    what: str = ""
    evidence: tuple[str, ...] = ()
    cause: Cause | None = None
    fix: str = ""
    silent_job: str = ""


_HAS_DATA: Final = Explanation(verdict=Verdict.DATA)

Excuse = Callable[[str, Mapping[str, str]], str | None]
"""Says of a series' name, and the labels that are matched, why it is rightly absent here.

None if it should be there."""

Silence = Callable[[str, Mapping[str, str]], str | None]
"""Says of a series' name, and the labels that are matched, which scrape job would bring it.

None unless every target of that job fails."""


class Explainer:
    """Explains queries against one Prometheus.

    `recorded` are its recording rules by name: a recorded series that is absent is explained by
    its rule.
    """

    def __init__(
        self,
        prometheus: Prometheus,
        *,
        recorded: Mapping[str, Sequence[LoadedRule]],
        excuse: Excuse = lambda *_: None,
        silence: Silence = lambda *_: None,
    ) -> None:
        self._prometheus = prometheus
        self._recorded = recorded
        self._excuse = excuse
        self._silence = silence
        self._known: dict[str, Explanation] = {}

    def explain_all(self, queries: Iterable[str]) -> list[Explanation]:
        """Explain several queries, some at once; the answers are in the queries' order.

        Raises:
            PrometheusError: Prometheus cannot be reached.
        """
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            return list(pool.map(self.explain, queries))

    def explain(self, query: str) -> Explanation:
        """Say what a query has now, and if nothing, why.

        Raises:
            PrometheusError: Prometheus cannot be reached.
        """
        if query not in self._known:
            self._known[query] = self._explain_anew(query)
        return self._known[query]

    def _explain_anew(self, query: str) -> Explanation:
        try:
            samples = self._prometheus.ask(query)
            if _has_numbers(samples):
                return _HAS_DATA
            return self._explain(parse(query))
        except (QueryRefusedError, ValueError) as error:
            return Explanation(
                verdict=Verdict.BROKEN,
                where=query,
                what="Prometheus does not evaluate it",
                evidence=(str(error),),
                cause=Cause.QUERY_REFUSED,
                fix="correct the expression where it is declared",
            )

    def _explain(self, node: ast.Expr) -> Explanation:
        match node:
            case ast.NumberLiteral() | ast.StringLiteral():
                return _HAS_DATA
            case ast.MatrixSelector():
                return self._selector(node.vector_selector)
            case ast.VectorSelector():
                return self._selector(node)
            case ast.SubqueryExpr():
                return self._explain(node.expr)
            case _:
                return self._operation(node)

    def _operation(self, node: ast.Expr) -> Explanation:
        samples = self._prometheus.ask(str(node))
        if _has_numbers(samples):
            return _HAS_DATA
        match node:
            case ast.BinaryExpr():
                found = self._binary(node)
            case ast.Call():
                found = self._call(node)
            case ast.AggregateExpr() | ast.ParenExpr() | ast.UnaryExpr():
                found = self._explain(node.expr)
            case _:
                found = _HAS_DATA
        if found.verdict is Verdict.DATA and samples:
            return Explanation(
                verdict=Verdict.IDLE, where=str(node), what="nothing happened in its window"
            )
        return found

    def _binary(self, node: ast.BinaryExpr) -> Explanation:
        left = self._explain(node.lhs)
        operator = str(node.op).strip()
        if operator == "unless":
            return left if left.verdict is not Verdict.DATA else _quiet(node)
        right = self._explain(node.rhs)
        if operator == "or":
            return _best(left, right)
        worst = max(left, right, key=lambda each: _ORDER[each.verdict])
        if worst.verdict is not Verdict.DATA:
            return worst
        return self._pair(node, operator)

    def _pair(self, node: ast.BinaryExpr, operator: str) -> Explanation:
        """Explain an empty operation of two sides that both have data."""
        left, right = (self._samples(each) for each in (node.lhs, node.rhs))
        has_scalar = any(is_scalar(each) for each in (node.lhs, node.rhs))
        names = None if node.modifier is None else node.modifier.matching
        # What a filter lets through has a partner only while its condition is met.
        is_filtered = any(is_filter(each) for each in (node.lhs, node.rhs))
        if has_scalar or is_filtered or _have_partners(left, right, names):
            return _quiet(node)
        return Explanation(
            verdict=Verdict.BROKEN,
            where=str(node),
            what=f"no sample left of `{operator}` has a partner on the right",
            evidence=(
                f"left: {_labels_text(left)}",
                f"right: {_labels_text(right)}",
                f"matched {names or 'on all labels'}",
            ),
            cause=Cause.VECTOR_MATCH,
            fix="match on labels that both sides have with the same values: `on (namespace)`, say",
        )

    def _call(self, node: ast.Call) -> Explanation:
        arguments = [self._explain(each) for each in node.args]
        worst = max(arguments, key=lambda each: _ORDER[each.verdict], default=_HAS_DATA)
        if node.func.name == "absent":
            return _quiet(node)
        if worst.verdict is not Verdict.DATA:
            return worst
        ranged = [each for each in node.args if isinstance(each, ast.MatrixSelector)]
        if node.func.name in _NEEDS_TWO and ranged:
            return self._too_few(ranged[0])
        return _quiet(node)

    def _too_few(self, ranged: ast.MatrixSelector) -> Explanation:
        """Tell a series that has just begun from a window that is always too short."""
        selector, window = str(ranged.vector_selector), ast.display_duration(ranged.range)
        if not self._prometheus.ask(f"{selector} offset {window}"):
            return Explanation(
                verdict=Verdict.NOT_YET,
                where=str(ranged),
                what="its series have been there for less than two scrapes",
            )
        return Explanation(
            verdict=Verdict.BROKEN,
            where=str(ranged),
            what=f"a window of {window} holds fewer than two samples",
            cause=Cause.WINDOW_TOO_SHORT,
            fix="make the window at least four times the scrape interval",
        )

    def _selector(self, node: ast.VectorSelector) -> Explanation:
        text, name = str(node), node.name or ""
        if self._prometheus.ask(text):
            return _HAS_DATA
        if name in _MAY_BE_ABSENT:
            return _quiet(node)
        matched = {each.name: each.value for each in node.matchers.matchers if is_equal(each)}
        if (known := self._known_absence(text, name, matched)) is not None:
            return known
        rules = [
            rule
            for rule in self._recorded.get(name, ())
            if all(matched.get(label, value) == value for label, value in rule.labels.items())
        ]
        if rules and not any(self._has_recorded(each) for each in rules):
            return self._by_rule(name, rules)
        if name and not self._prometheus.ask(name):
            return self._absent(name)
        return self._drifted(node)

    def _known_absence(
        self, text: str, name: str, matched: Mapping[str, str]
    ) -> Explanation | None:
        if (reason := self._excuse(name, matched)) is not None:
            return Explanation(verdict=Verdict.EXCUSED, where=text, what=reason)
        if (job := self._silence(name, matched)) is not None:
            what = f"no target of {job} answers"
            return Explanation(verdict=Verdict.SILENCED, where=text, what=what, silent_job=job)
        return None

    def _has_recorded(self, rule: LoadedRule) -> bool:
        labels = ",".join(f'{label}="{value}"' for label, value in rule.labels.items())
        return bool(self._prometheus.ask(f"{rule.name}{{{labels}}}"))

    def _by_rule(self, name: str, rules: Sequence[LoadedRule]) -> Explanation:
        found = [self.explain(rule.query) for rule in rules]
        best = min(found, key=lambda each: _ORDER[each.verdict])
        if best.verdict is not Verdict.DATA:
            return best
        return Explanation(
            verdict=Verdict.NOT_YET,
            where=name,
            what="its rule has data, and has not run since",
        )

    def _absent(self, name: str) -> Explanation:
        last_s = self._prometheus.last_seen_s(name)
        if last_s is not None:
            age_s = self._prometheus.now_s() - last_s
            return Explanation(
                verdict=Verdict.BROKEN,
                where=name,
                what=f"its newest sample is {age_s:.0f} s old",
                evidence=(f"{name}[1h] has samples, {name} has none",),
                cause=Cause.STALE,
                fix="see to the target that exports it: `gx doctor` says what became of it",
            )
        near = nearest(name, self._prometheus.values_of("__name__"))
        hint = f"nearest: {', '.join(near)}" if near else "no name comes near"
        return Explanation(
            verdict=Verdict.BROKEN,
            where=name,
            what="no series has this name",
            evidence=(f"{hint}",),
            cause=Cause.METRIC_RENAMED,
            fix=f"export it as {name}"
            + (f", or read {near[0]} where this is read" if near else " where it is declared"),
        )

    def _drifted(self, node: ast.VectorSelector) -> Explanation:
        """Find the matcher that empties a selector whose series is there."""
        name, kept = node.name or "", list[str]()
        for label, text in matchers(node):
            kept.append(text)
            if self._prometheus.ask(f"{name}{{{','.join(kept)}}}"):
                continue
            others = f"{name}{{{','.join(kept[:-1])}}}"
            values = self._prometheus.ask(f"count by ({label}) ({others})")
            seen = sorted({each.labels.get(label, "") or '""' for each in values})
            return Explanation(
                verdict=Verdict.BROKEN,
                where=str(node),
                what=f"the matcher {text} selects nothing",
                evidence=(f"{label} of {others} is {_shorten(seen)}",),
                cause=Cause.LABEL_DRIFT,
                fix=f"match a value that is there, or give the series the label {label} again",
            )
        return _quiet(node)

    def _samples(self, node: ast.Expr) -> tuple[Sample, ...]:
        return self._prometheus.ask(str(node))


def _has_numbers(samples: Sequence[Sample]) -> bool:
    return any(not math.isnan(each.value) for each in samples)


def _quiet(node: ast.Expr) -> Explanation:
    return Explanation(
        verdict=Verdict.QUIET, where=str(node), what="its parts have data; the condition is not met"
    )


def _best(*found: Explanation) -> Explanation:
    return min(found, key=lambda each: _ORDER[each.verdict])


def _have_partners(
    left: Sequence[Sample], right: Sequence[Sample], matching: ast.LabelModifier | None
) -> bool:
    keys = {_key(each, matching) for each in left}
    return any(_key(each, matching) in keys for each in right)


def _key(sample: Sample, matching: ast.LabelModifier | None) -> frozenset[tuple[str, str]]:
    names = set(sample.labels) - {"__name__"}
    if matching is not None:
        labels = set(matching.labels)
        is_on = matching.type == ast.LabelModifierType.Include
        names = labels if is_on else names - labels
    return frozenset((name, sample.labels.get(name, "")) for name in names)


def _labels_text(samples: Sequence[Sample]) -> str:
    texts = sorted({str(dict(each.labels)) for each in samples})
    return _shorten(texts)


def _shorten(texts: Sequence[str]) -> str:
    more = len(texts) - _SHOWN
    return ", ".join(texts[:_SHOWN]) + (f" and {more} more" if more > 0 else "")
