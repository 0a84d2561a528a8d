"""Rules that are loaded under a name of the catalogue, and are not the catalogue's.

Expressions are compared as they are parsed: Prometheus prints what it loaded in its own spelling.
Annotations are left out, since the addresses in them belong to a deployment.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from gx.monitoring.alerts import ALERTS
from gx.monitoring.recording import EXPECTED_TARGET
from gx.monitoring.rules import all_groups
from gx.monitoring.scaling import Scale, scale_expression
from gx.proof.causes import Cause, Finding
from gx.proof.prometheus import LoadedGroup, LoadedRule
from gx.proof.syntax import parse

_STRING: Final = re.compile(r"""("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')""")
_SPACE: Final = re.compile(r"\s+")
# Durations are exact to the millisecond.
_FOR_TOLERANCE_S: Final = 0.0015
_FACTOR_DIGITS: Final = 2
_FIX: Final = (
    "mount what `gx monitoring render` writes where `rule_files` looks, and have Prometheus "
    "reload; what is meant to differ belongs into the catalogue"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One part of a rule, `expr`, `for` or `labels`, as it is loaded and as it is declared."""

    group: str
    part: str
    loaded: str
    declared: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Form:
    """What is compared of a rule; `labels` are None where each deployment has its own."""

    expr: str
    for_s: float = 0.0
    labels: Mapping[str, str] | None


def find_differences(groups: Sequence[LoadedGroup]) -> Mapping[str, tuple[Difference, ...]]:
    """Return in what loaded rules differ from the catalogue's, by name; those that are equal, not.

    Rules of a drill, all of whose durations are divided by one factor, are compared with the
    catalogue's at that pace. Names that are not loaded at all are no difference.
    """
    found: dict[str, tuple[Difference, ...]] = {}
    declared = _declared(_scale_of(groups))
    for name, forms in declared.items():
        loaded = [
            (group.name, rule) for group in groups for rule in group.rules if rule.name == name
        ]
        if differing := tuple(_compare(forms, loaded)):
            found[name] = differing
    return found


def examine_differences(groups: Sequence[LoadedGroup]) -> Iterator[Finding]:
    """Yield each rule that is loaded otherwise than the catalogue has it, with both sides."""
    for name, differing in find_differences(groups).items():
        parts = " and ".join(dict.fromkeys(each.part for each in differing))
        yield Finding(
            cause=Cause.RULE_DIFFERS,
            where=f"{differing[0].group}: {name}",
            what=f"Prometheus evaluates it with another {parts} than the catalogue declares",
            evidence=tuple(text for each in differing for text in describe(each)),
            fix=_FIX,
        )


def describe(difference: Difference) -> tuple[str, str]:
    """Return both sides of a difference, a line each."""
    return (
        f"loaded {difference.part}: {difference.loaded}",
        f"declared {difference.part}: {difference.declared}",
    )


def _declared(scale: Scale) -> Mapping[str, list[_Form]]:
    found: dict[str, list[_Form]] = {}
    for group in all_groups(()):
        for recording in group.recordings:
            expr = _paced(recording.expr.text, scale)
            form = _Form(expr=expr, labels=dict(recording.labels))
            found.setdefault(recording.name, []).append(form)
        for alert in group.alerts:
            expr = alert.expr.text
            if scale.factor != 1:
                expr = scale_expression(expr, scale, alert.thresholds)
            for_s = scale.seconds(alert.for_s) if alert.for_s else 0.0
            form = _Form(expr=expr, for_s=for_s, labels=alert.labels)
            found.setdefault(alert.name, []).append(form)
    # Which targets there should be is each deployment's own: `gx verify` compares those.
    return {**found, EXPECTED_TARGET.name: [_Form(expr="vector(1)", labels=None)]}


def _paced(expr: str, scale: Scale) -> str:
    return expr if scale.factor == 1 else scale_expression(expr, scale)


def _scale_of(groups: Sequence[LoadedGroup]) -> Scale:
    """Return the factor by which most alerts wait less than they are declared to."""
    waits_s = {alert.name: alert.for_s for alert in ALERTS if alert.for_s}
    factors = Counter(
        round(waits_s[rule.name] / rule.duration, _FACTOR_DIGITS)
        for group in groups
        for rule in group.rules
        if rule.duration and rule.name in waits_s
    )
    if not factors:
        return Scale()
    factor, count = factors.most_common(1)[0]
    is_common = 2 * count > factors.total() and count > 1
    return Scale(factor) if is_common and factor > 1 else Scale()


def _compare(
    forms: Sequence[_Form], loaded: Sequence[tuple[str, LoadedRule]]
) -> Iterator[Difference]:
    """Compare each loaded rule with the declared one that it is most like."""
    left = list(forms)
    for group, rule in loaded:
        best = min(forms, key=lambda form: _badness(form, group, rule))
        left = [form for form in left if form is not best]
        yield from _differences(best, group, rule)
    if loaded:
        for form in left:
            yield Difference(
                group=loaded[0][0],
                part="rule",
                loaded="none with these labels",
                declared=f"{form.expr}, {_labels_text(form.labels or {})}",
            )


def _badness(form: _Form, group: str, rule: LoadedRule) -> tuple[bool, int]:
    has_other_labels = form.labels is not None and form.labels != rule.labels
    return has_other_labels, len(list(_differences(form, group, rule)))


def _differences(form: _Form, group: str, rule: LoadedRule) -> Iterator[Difference]:
    if not is_same_expression(form.expr, rule.query):
        yield Difference(group=group, part="expr", loaded=rule.query, declared=form.expr)
    if abs(rule.duration - form.for_s) > _FOR_TOLERANCE_S:
        yield Difference(
            group=group, part="for", loaded=f"{rule.duration:g}s", declared=f"{form.for_s:g}s"
        )
    if form.labels is not None and form.labels != rule.labels:
        texts = (_labels_text(rule.labels), _labels_text(form.labels))
        yield Difference(group=group, part="labels", loaded=texts[0], declared=texts[1])


def is_same_expression(left: str, right: str) -> bool:
    """Say whether two texts are the same expression, however they are spelt."""
    return _without_spaces(left) == _without_spaces(right) or _parsed(left) == _parsed(right)


def _without_spaces(text: str) -> str:
    parts = _STRING.split(text)
    return "".join(part if index % 2 else _SPACE.sub("", part) for index, part in enumerate(parts))


def _parsed(text: str) -> str:
    """Write an expression in one spelling; what this parser does not know yet stays as it is."""
    try:
        return str(parse(text).prettify())
    except ValueError:
        return _without_spaces(text)


def _labels_text(labels: Mapping[str, str]) -> str:
    return ", ".join(f"{key}={value}" for key, value in sorted(labels.items())) or "none"
