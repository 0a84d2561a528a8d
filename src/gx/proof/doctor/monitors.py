"""ServiceMonitors that select no Service, or a port that none of them has."""

from collections.abc import Iterator, Sequence

from gx.proof.causes import Cause, Finding
from gx.proof.near_names import nearest
from gx.proof.reachability.inventory import Inventory, namespace_of
from gx.proof.reachability.objects import Service, ServiceMonitor


def examine_monitors(inventory: Inventory) -> Iterator[Finding]:
    """Yield what each ServiceMonitor does not find, in namespaces whose Services are known."""
    for monitor in inventory.monitors:
        for namespace in _namespaces(inventory, monitor):
            there = inventory.services_in(namespace)
            selector = monitor.spec.selector
            chosen = [each for each in there if selector.matches(each.metadata.labels or {})]
            if not chosen:
                yield _selects_nothing(monitor, namespace, there)
                continue
            yield from _ports(monitor, namespace, chosen)


def _namespaces(inventory: Inventory, monitor: ServiceMonitor) -> Sequence[str]:
    known = sorted({namespace_of(each.metadata) for each in inventory.services})
    choice = monitor.spec.namespace_selector
    if choice.any:
        return known
    wanted = choice.match_names or [namespace_of(monitor.metadata)]
    return [each for each in known if each in wanted]


def _selects_nothing(monitor: ServiceMonitor, namespace: str, there: Sequence[Service]) -> Finding:
    labelled = [
        f"Service {each.metadata.name} has "
        + (", ".join(f"{k}={v}" for k, v in (each.metadata.labels or {}).items()) or "no labels")
        for each in there
    ]
    wanted = str(monitor.spec.selector)
    return Finding(
        cause=Cause.SELECTOR_MISMATCH,
        where=_where(monitor, namespace),
        what=f"no Service in {namespace} has the labels {wanted}",
        evidence=tuple(labelled),
        fix=f"give the Service the labels {wanted}: a ServiceMonitor reads the Service's own, "
        "not those of its pods",
    )


def _ports(monitor: ServiceMonitor, namespace: str, chosen: Sequence[Service]) -> Iterator[Finding]:
    names = {port.name or "" for each in chosen for port in each.spec.ports or []}
    services = ", ".join(each.metadata.name for each in chosen)
    for endpoint in monitor.spec.endpoints or []:
        if endpoint.port is None or endpoint.port in names:
            continue
        near = nearest(endpoint.port, sorted(names)) or sorted(names)
        yield Finding(
            cause=Cause.WRONG_PORT,
            where=_where(monitor, namespace),
            what=f"no port of the Services that it selects is called {endpoint.port}",
            evidence=(f"{services} has {', '.join(sorted(names))}",),
            fix=f"name the Service's port {endpoint.port}, or select {near[0]}"
            if near
            else f"give the Service a port named {endpoint.port}",
        )


def _where(monitor: ServiceMonitor, namespace: str) -> str:
    return f"ServiceMonitor {monitor.metadata.name}: {namespace}"
