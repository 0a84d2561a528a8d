"""Relabelling as Prometheus does it, replayed: which rule dropped a target, and on what it looked.

https://prometheus.io/docs/prometheus/latest/configuration/configuration/#relabel_config
"""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec

_REFERENCE: Final = re.compile(r"\$(?:(\d+|\w+)|\{(\w+)\})")


class RelabelRule(msgspec.Struct, frozen=True, kw_only=True):
    """One rule in Prometheus' words, with its defaults."""

    source_labels: list[str] = []
    separator: str = ";"
    regex: str = "(.*)"
    modulus: int = 0
    target_label: str = ""
    replacement: str = "$1"
    action: str = "replace"


class ScrapeConfig(msgspec.Struct, frozen=True, kw_only=True):
    """What of a scrape job matters here."""

    job_name: str
    metrics_path: str = "/metrics"
    scheme: str = "http"
    sample_limit: int = 0
    scrape_interval: str = ""
    scrape_timeout: str = ""
    honor_timestamps: bool = True
    relabel_configs: list[RelabelRule] = []
    metric_relabel_configs: list[RelabelRule] = []
    kubernetes_sd_configs: list[dict[str, object]] = []


@dataclass(frozen=True, slots=True, kw_only=True)
class Drop:
    """The rule that dropped a target: its place, from 0, and the text that it compared."""

    place: int
    rule: RelabelRule
    compared: str


def replay(
    rules: Sequence[RelabelRule], labels: Mapping[str, str]
) -> tuple[Mapping[str, str], Drop | None]:
    """Apply rules to discovered labels; return what is left, and the rule that dropped it."""
    kept = dict(labels)
    for place, rule in enumerate(rules):
        compared = rule.separator.join(kept.get(name, "") for name in rule.source_labels)
        if _drops(rule, compared, kept):
            return kept, Drop(place=place, rule=rule, compared=compared)
        _apply(rule, compared, kept)
    return kept, None


def pattern_of(rule: RelabelRule) -> re.Pattern[str]:
    """Return a rule's expression, anchored as Prometheus anchors it."""
    return re.compile(f"^(?:{rule.regex})$", re.DOTALL)


def _drops(rule: RelabelRule, compared: str, labels: Mapping[str, str]) -> bool:
    target = labels.get(rule.target_label, "")
    match rule.action:
        case "keep":
            return pattern_of(rule).match(compared) is None
        case "drop":
            return pattern_of(rule).match(compared) is not None
        case "keepequal":
            return compared != target
        case "dropequal":
            return compared == target
        case _:
            return False


def _apply(rule: RelabelRule, compared: str, labels: dict[str, str]) -> None:
    match rule.action:
        case "replace":
            _replace(rule, compared, labels)
        case "lowercase":
            labels[rule.target_label] = compared.lower()
        case "uppercase":
            labels[rule.target_label] = compared.upper()
        case "hashmod":
            digest = hashlib.md5(compared.encode(), usedforsecurity=False).digest()
            labels[rule.target_label] = str(int.from_bytes(digest[8:], "big") % rule.modulus)
        case "labelmap" | "labeldrop" | "labelkeep":
            _rename(rule, labels)
        case _:
            pass


def _replace(rule: RelabelRule, compared: str, labels: dict[str, str]) -> None:
    found = pattern_of(rule).match(compared)
    if found is None:
        return
    target = _expand(rule.target_label, found)
    value = _expand(rule.replacement, found)
    if value:
        labels[target] = value
    else:
        labels.pop(target, None)


def _rename(rule: RelabelRule, labels: dict[str, str]) -> None:
    pattern = pattern_of(rule)
    for name, value in list(labels.items()):
        found = pattern.match(name)
        if rule.action == "labelmap":
            if found is not None:
                labels[_expand(rule.replacement, found)] = value
        elif (found is not None) == (rule.action == "labeldrop"):
            del labels[name]


def _expand(text: str, found: re.Match[str]) -> str:
    """Put groups in the place of `$1` and `${1}`; a group that is not there is empty, as in Go."""

    def group(reference: re.Match[str]) -> str:
        name = reference[1] or reference[2]
        try:
            value: str | None = found[int(name)] if name.isdigit() else found[name]
        except (IndexError, KeyError):
            return ""
        return value or ""

    return _REFERENCE.sub(group, text)
