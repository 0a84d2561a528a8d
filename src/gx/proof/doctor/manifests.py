"""What manifests say of a target: blocked by which policy, no pod, no such port."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final

from gx.proof.causes import Cause, Finding
from gx.proof.reachability import findings as reachability
from gx.proof.reachability.catalogue import Catalogue, Kind
from gx.proof.reachability.explain import environments_in, explain_flows
from gx.proof.reachability.inventory import Inventory

_CAUSES: Final[Mapping[reachability.Verdict, Cause]] = {
    reachability.Verdict.BLOCKED: Cause.POLICY,
    reachability.Verdict.NO_SUCH_PORT: Cause.WRONG_PORT,
    reachability.Verdict.NO_POD: Cause.NO_ENDPOINTS,
    reachability.Verdict.MISMATCH: Cause.SELECTOR_MISMATCH,
}
_WORDS: Final[Mapping[Cause, str]] = {
    Cause.POLICY: "NetworkPolicies let nothing through",
    Cause.WRONG_PORT: "the pod declares no such port",
    Cause.NO_ENDPOINTS: "no pod stands behind it",
    Cause.SELECTOR_MISMATCH: "what selects it asks for other labels",
}
_FIXES: Final[Mapping[Cause, str]] = {
    Cause.WRONG_PORT: "declare the port in the pod under the name that the Service or job asks for",
    Cause.NO_ENDPOINTS: "give the pods the labels that the Service selects, or scale them above 0",
    Cause.SELECTOR_MISMATCH: "give the object the labels that are asked for",
}


class Reach:
    """The judgement of manifests, asked by scrape job or as a whole."""

    def __init__(self, inventory: Inventory) -> None:
        environments = environments_in(inventory, Catalogue())
        catalogue = Catalogue.of(environments) if environments else Catalogue()
        self._findings = explain_flows(inventory, catalogue)

    def all(self) -> Iterator[Finding]:
        """Yield everything that manifests say is not reachable; what one thing mends, once."""
        for each in self._wrong():
            yield _as_finding(each, _CAUSES[each.verdict])

    def of_scrape(self, job: str, labels: Mapping[str, str], *, is_refused: bool) -> Finding | None:
        """Return why manifests keep Prometheus from a target; None where they do not."""
        environment = labels.get("environment", "")
        for each in self._wrong():
            is_it = each.wish.kind is Kind.SCRAPE and each.wish.name == job
            if not is_it or each.wish.environment not in {environment, ""}:
                continue
            cause = _CAUSES[each.verdict]
            found = _as_finding(each, cause)
            if cause is Cause.POLICY:
                cause = Cause.POLICY_REJECT if is_refused else Cause.POLICY_DROP
            return replace(found, cause=cause)
        return None

    def _wrong(self) -> Sequence[reachability.Finding]:
        return [each for each in self._findings if not each.is_reachable]


def _as_finding(found: reachability.Finding, cause: Cause) -> Finding:
    port = f" {found.port}" if found.port else ""
    return Finding(
        cause=cause,
        where=f"{found.wish.name}: {found.source} -> {found.target}{port}",
        what=_WORDS[cause],
        evidence=tuple(dict.fromkeys([*map(str, found.obstacles), *found.evidence])),
        fix=_fix(found) or _FIXES.get(cause, ""),
    )


def _fix(found: reachability.Finding) -> str:
    parts: list[str] = []
    for remedy in found.remedies:
        parts.append(remedy.kubectl)
        if remedy.patched is not None:
            parts += ["# which adds to its spec:", remedy.rule_yaml.rstrip()]
    return "\n".join(parts)
