"""Findings as a table's rows and as JSON; what mends several of them is told once."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from gx.domain.codec import JsonObject, JsonValue
from gx.proof.reachability.findings import Finding, Verdict
from gx.proof.reachability.remedies import Remedy

HEADINGS: Final = ("for", "environment", "from", "to", "port", "verdict")


def table_rows(findings: Iterable[Finding]) -> Iterator[tuple[str, ...]]:
    """Yield a row for each finding, of as many cells as there are headings."""
    for each in findings:
        name = f"{each.wish.kind}: {each.wish.name}"
        environment = each.wish.environment or "-"
        yield (name, environment, each.source, each.target, each.port or "-", each.verdict.value)


def describe(finding: Finding) -> JsonObject:
    """Return a finding as JSON."""
    return {
        "kind": finding.wish.kind.value,
        "for": finding.wish.name,
        "environment": finding.wish.environment,
        "from": finding.source,
        "to": finding.target,
        "port": finding.port,
        "verdict": finding.verdict.value,
        "evidence": list(finding.evidence),
        "blocked_by": [
            {
                "side": each.direction.value,
                "namespace": each.pods.namespace,
                "policies": [policy.metadata.name for policy in each.policies],
            }
            for each in finding.obstacles
        ],
        "fixes": [_describe_remedy(each) for each in finding.remedies],
    }


def _describe_remedy(remedy: Remedy) -> JsonObject:
    return {
        "side": remedy.direction.value,
        "namespace": remedy.namespace,
        "patched_policy": remedy.patched,
        "rule_yaml": remedy.rule_yaml,
        "policy_yaml": remedy.policy_yaml,
        "kubectl": remedy.kubectl,
    }


def reason_lines(findings: Sequence[Finding]) -> Iterator[str]:
    """Yield what is wrong, a paragraph a finding, then what mends it, each remedy once."""
    wrong = [each for each in findings if not each.is_reachable]
    for each in wrong:
        port = f" {each.port}" if each.port else ""
        yield f"{each.source} -> {each.target}{port}: {each.verdict}"
        yield from (f"  {text}" for text in each.evidence)
    for remedy, mended in _grouped(wrong).values():
        yield ""
        yield f"To let through {' and '.join(mended)}:"
        yield remedy.kubectl
        if remedy.patched is not None:
            yield "which adds to its spec:"
            yield remedy.rule_yaml.rstrip()


def _grouped(findings: Iterable[Finding]) -> dict[str, tuple[Remedy, list[str]]]:
    """Gather what each line would mend, by the line."""
    found: dict[str, tuple[Remedy, list[str]]] = {}
    for finding in findings:
        for remedy in finding.remedies:
            _, mended = found.setdefault(remedy.kubectl, (remedy, []))
            title = f"{finding.source} -> {finding.target}"
            if title not in mended:
                mended.append(title)
    return found


def summary(findings: Sequence[Finding]) -> str:
    """Count the verdicts in one line."""
    counts = Counter(each.verdict for each in findings)
    parts = (f"{counts[each]} {each}" for each in Verdict if counts[each])
    return f"{len(findings)} checked: {', '.join(parts)}"


def describe_all(findings: Sequence[Finding], unread: JsonObject) -> JsonObject:
    """Return the whole report as JSON."""
    rows: list[JsonValue] = [describe(each) for each in findings]
    is_reachable = all(each.is_reachable for each in findings)
    return {"reachable": is_reachable, "policies_not_read": unread, "findings": rows}
