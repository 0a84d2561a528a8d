"""Rule sets as values: from our catalogue, from rule files, and from the manifests around them."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias

import yaml

from gx.domain.errors import GxError
from gx.monitoring.model import EVALUATION_INTERVAL_S, Links
from gx.monitoring.recording import EXPECTED_TARGET
from gx.monitoring.rules import all_groups, deployed_targets, groups_to_yaml

Node: TypeAlias = Mapping[object, object]

_DURATION: Final = re.compile(r"(?:(\d+)w)?(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?")
_UNITS_S: Final = (604_800, 86_400, 3_600, 60, 1)


class RuleFileError(GxError):
    """A rule file cannot be read; the text says which, where in it, and what is wrong."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingRule:
    """A recorded series; several rules may record one name with different labels."""

    name: str
    expr: str
    labels: tuple[tuple[str, str], ...] = ()
    interval_s: int = EVALUATION_INTERVAL_S


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertingRule:
    """An alert: `expr` has to hold for `for_s`, and the alert outlives it by `keep_firing_s`.

    `interval_s` is how often Prometheus evaluates its group.
    """

    name: str
    expr: str
    for_s: int = 0
    keep_firing_s: int = 0
    labels: tuple[tuple[str, str], ...] = ()
    interval_s: int = EVALUATION_INTERVAL_S

    @property
    def severity(self) -> str:
        """Its label `severity`; empty when the rule sets none."""
        return dict(self.labels).get("severity", "")


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleSet:
    """The rules of one source; `name` is what reports call it."""

    name: str
    alerts: tuple[AlertingRule, ...]
    recordings: tuple[RecordingRule, ...] = ()

    def only(self, names: Sequence[str]) -> "RuleSet":
        """Keep the alerts of these names, and every recording rule.

        Raises:
            RuleFileError: One of them is not in the set.
        """
        known = {alert.name for alert in self.alerts}
        if unknown := sorted(set(names) - known):
            raise RuleFileError(f"{self.name} has no alert {', '.join(unknown)}")
        kept = tuple(alert for alert in self.alerts if alert.name in names)
        return RuleSet(name=self.name, alerts=kept, recordings=self.recordings)


def catalogue_rules(environments: Sequence[str], *, knows_targets: bool = False) -> RuleSet:
    """Return our own rules as they are rendered for these environments.

    With `knows_targets` the history itself says which targets there should have been, and the
    rules that would record it are left out.
    """
    document = groups_to_yaml(all_groups(deployed_targets(environments)), Links())
    rules = parse_rules("catalogue", document)
    if not knows_targets:
        return rules
    others = tuple(each for each in rules.recordings if each.name != EXPECTED_TARGET.name)
    return RuleSet(name=rules.name, alerts=rules.alerts, recordings=others)


def read_rules(path: Path) -> RuleSet:
    """Read a rule file, a PrometheusRule, or a ConfigMap of rule files.

    Raises:
        RuleFileError: It cannot be read, or is none of these.
    """
    try:
        documents: list[object] = list(yaml.safe_load_all(path.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise RuleFileError(f"{path} cannot be read as rules: {error}") from error
    groups = [group for document in documents for group in _groups_in(document, str(path))]
    return parse_rules(str(path), {"groups": groups})


def parse_rules(name: str, document: object) -> RuleSet:
    """Read rules in the form of a rule file.

    Raises:
        RuleFileError: It has no rules, or one of them is malformed.
    """
    alerts: list[AlertingRule] = []
    recordings: list[RecordingRule] = []
    for group in _groups_in(document, name):
        interval_s = parse_duration(group.get("interval", f"{EVALUATION_INTERVAL_S}s"), name)
        for rule in _mappings(group.get("rules"), f"{name}: group {group.get('name')}"):
            if "record" in rule:
                recordings.append(_recording(rule, name, interval_s))
            else:
                alerts.append(_alert(rule, name, interval_s))
    if not alerts:
        raise RuleFileError(f"{name} has no alerting rule: give a file with `groups:`")
    return RuleSet(name=name, alerts=tuple(alerts), recordings=tuple(recordings))


def parse_duration(value: object, where: str) -> int:
    """Read a duration as Prometheus writes it, in whole seconds.

    Raises:
        RuleFileError: It is none.
    """
    text = str(value)
    match = _DURATION.fullmatch(text)
    if match is None or not text:
        raise RuleFileError(f"{where}: {text!r} is no duration of whole seconds, like 5m or 1h30m")
    parts: tuple[str | None, ...] = match.groups()
    return sum(int(part or 0) * unit_s for part, unit_s in zip(parts, _UNITS_S, strict=True))


def _groups_in(document: object, where: str) -> Iterator[Node]:
    """Find the groups of a rule file, of a PrometheusRule's spec, or of a ConfigMap's files."""
    if document is None:
        return
    if not isinstance(document, Mapping):
        raise RuleFileError(f"{where} holds no rules: a mapping with `groups:` was expected")
    if "groups" in document:
        yield from _mappings(document["groups"], f"{where}: groups")
    elif "spec" in document:
        yield from _groups_in(document["spec"], where)
    elif isinstance(data := document.get("data"), Mapping):
        for name, text in data.items():
            yield from _groups_in(yaml.safe_load(str(text)), f"{where}: {name}")
    else:
        raise RuleFileError(f"{where} has neither `groups:`, a `spec:` nor `data:` with them")


def _mappings(value: object, where: str) -> Iterator[Node]:
    if not isinstance(value, list):
        raise RuleFileError(f"{where}: a list was expected")
    for each in value:
        if not isinstance(each, Mapping):
            raise RuleFileError(f"{where}: {each!r} is no mapping")
        yield each


def _recording(rule: Node, where: str, interval_s: int) -> RecordingRule:
    return RecordingRule(
        name=str(rule["record"]),
        expr=_expression(rule, f"{where}: {rule['record']}"),
        labels=_labels(rule, where),
        interval_s=interval_s,
    )


def _alert(rule: Node, where: str, interval_s: int) -> AlertingRule:
    if "alert" not in rule:
        raise RuleFileError(f"{where}: a rule has neither `alert:` nor `record:`")
    place = f"{where}: {rule['alert']}"
    return AlertingRule(
        name=str(rule["alert"]),
        expr=_expression(rule, place),
        for_s=parse_duration(rule.get("for", "0s"), place),
        keep_firing_s=parse_duration(rule.get("keep_firing_for", "0s"), place),
        labels=_labels(rule, place),
        interval_s=interval_s,
    )


def _expression(rule: Node, where: str) -> str:
    expr = rule.get("expr")
    if expr is None or not str(expr).strip():
        raise RuleFileError(f"{where} has no `expr:`")
    return str(expr)


def _labels(rule: Node, where: str) -> tuple[tuple[str, str], ...]:
    labels = rule.get("labels") or {}
    if not isinstance(labels, Mapping):
        raise RuleFileError(f"{where}: `labels:` is no mapping")
    return tuple(sorted((str(name), str(value)) for name, value in labels.items()))
