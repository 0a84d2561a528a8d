"""A diagnosis as JSON, and as lines for people."""

from collections.abc import Iterator

from gx.domain.codec import JsonObject, JsonValue
from gx.proof.causes import Finding
from gx.proof.doctor.examine import Diagnosis


def describe(diagnosis: Diagnosis) -> JsonObject:
    """Return a diagnosis as JSON."""
    rows: list[JsonValue] = [_describe(each) for each in diagnosis.findings]
    is_healthy = not diagnosis.faults and not diagnosis.unasked
    return {"healthy": is_healthy, "unasked": list(diagnosis.unasked), "findings": rows}


def _describe(finding: Finding) -> JsonObject:
    return {
        "cause": finding.cause.value,
        "where": finding.where,
        "what": finding.what,
        "evidence": list(finding.evidence),
        "fix": finding.fix,
        "healthy": finding.is_healthy,
    }


def lines(diagnosis: Diagnosis) -> Iterator[str]:
    """Yield a paragraph a finding, what is wrong first, and a line that sums them up.

    What one change mends has it once: the others refer to that finding by its number.
    """
    fixed: dict[str, int] = {}
    ordered = sorted(diagnosis.findings, key=lambda each: each.is_healthy)
    for number, finding in enumerate(ordered, 1):
        mark = "healthy" if finding.is_healthy else "FAULT"
        yield f"{number}. {mark}  {finding.cause.value}  {finding.where}"
        yield f"  {finding.what}"
        yield from (f"  - {text}" for text in finding.evidence)
        if finding.fix in fixed:
            yield f"  fix: the same as of {fixed[finding.fix]}"
        elif finding.fix:
            fixed[finding.fix] = number
            first, *rest = finding.fix.splitlines()
            yield f"  fix: {first}"
            yield from rest
        yield ""
    yield from diagnosis.notes
    yield from (f"not asked: {text}" for text in diagnosis.unasked)
    yield summary(diagnosis)


def summary(diagnosis: Diagnosis) -> str:
    """Count the faults in a line; where nothing could be asked, say so instead."""
    if diagnosis.unasked and not diagnosis.findings:
        return "nothing is known: what was not asked may be at fault"
    count = len(diagnosis.faults)
    healthy = len(diagnosis.findings) - count
    counted = "1 fault" if count == 1 else f"{count} faults"
    return counted + (f", {healthy} explained and healthy" if healthy else "")
