"""What manifests say of a target: blocked by which policy, no pod, no such port."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final
from urllib.parse import urlsplit

from gx.proof.causes import Cause, Finding
from gx.proof.prometheus import Target
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
# The first whose words are in the evidence fits; the last of a cause always does.
_FIXES: Final[Mapping[Cause, Sequence[tuple[str, str]]]] = {
    Cause.WRONG_PORT: (
        ("has no port", "give the Service a port with the name or number that is asked for"),
        ("", "declare the port in the pod under the name that the Service or job asks for"),
    ),
    Cause.NO_ENDPOINTS: (
        ("scaled to 0", "scale it above 0 (`kubectl scale --replicas=1`)"),
        ("no manifest has pods", "deploy there what should run: no object of it has been applied"),
        ("has no selector", "give the Service the selector of its pods"),
        ("none is ready", "see why its pods are not ready (`kubectl describe pod`)"),
        ("", "give the pods the labels that the Service selects"),
    ),
    Cause.SELECTOR_MISMATCH: (
        ("there is none at all", "apply the object: none of its kind is in this namespace"),
        ("", "give the object the labels or the name that are asked for"),
    ),
}


class Reach:
    """The judgement of manifests, asked by scrape job first, and then for the rest."""

    def __init__(self, inventory: Inventory) -> None:
        environments = environments_in(inventory, Catalogue())
        catalogue = Catalogue.of(environments) if environments else Catalogue()
        self._findings = explain_flows(inventory, catalogue)
        self._told: set[tuple[Cause, str]] = set()

    def rest(self) -> Iterator[Finding]:
        """Yield what manifests say is not reachable, and no scrape was explained by."""
        for each in self._wrong():
            found = _as_finding(each, _CAUSES[each.verdict])
            if (found.cause, found.where) not in self._told:
                yield found

    def of_scrape(self, target: Target, *, is_refused: bool) -> Finding | None:
        """Return why manifests keep Prometheus from a target; None where they do not.

        A policy that closes another port than the one that is scraped explains nothing.
        """
        environment = target.labels.get("environment", "")
        port = urlsplit(target.scrape_url).port
        for each in self._wrong():
            is_it = each.wish.kind is Kind.SCRAPE and each.wish.name == target.scrape_pool
            if not is_it or each.wish.environment not in {environment, ""}:
                continue
            if each.connection is not None and each.connection.port != port:
                continue
            cause = _CAUSES[each.verdict]
            found = _as_finding(each, cause)
            self._told.add((found.cause, found.where))
            if cause is Cause.POLICY:
                cause = Cause.POLICY_REJECT if is_refused else Cause.POLICY_DROP
            return replace(found, cause=cause)
        return None

    def _wrong(self) -> Sequence[reachability.Finding]:
        return [each for each in self._findings if not each.is_reachable]


def _as_finding(found: reachability.Finding, cause: Cause) -> Finding:
    port = f" {found.port}" if found.port else ""
    evidence = tuple(dict.fromkeys([*map(str, found.obstacles), *found.evidence]))
    return Finding(
        cause=cause,
        where=f"{found.wish.name}: {found.source} -> {found.target}{port}",
        what=_WORDS[cause],
        evidence=evidence,
        fix=_fix(found) or _usual_fix(cause, " ".join(evidence)),
    )


def _usual_fix(cause: Cause, evidence: str) -> str:
    return next((fix for words, fix in _FIXES.get(cause, ()) if words in evidence), "")


def _fix(found: reachability.Finding) -> str:
    parts: list[str] = []
    for remedy in found.remedies:
        parts.append(remedy.kubectl)
        if remedy.patched is not None:
            parts += ["# which adds to its spec:", remedy.rule_yaml.rstrip()]
    return "\n".join(parts)
