"""Alerts that Prometheus does not get rid of, and configurations that were written in vain."""

from collections.abc import Iterator, Sequence
from typing import Final

from gx.monitoring.live import PrometheusError
from gx.proof.causes import Cause, Finding
from gx.proof.prometheus import Prometheus, Sample

_ERRORS: Final = "prometheus_notifications_errors_total"


def examine_delivery(prometheus: Prometheus) -> Iterator[Finding]:
    """Yield why Prometheus does not get rid of its alerts."""
    known = prometheus.alertmanagers().active_alertmanagers
    if not known:
        yield Finding(
            cause=Cause.NO_ALERTMANAGER,
            where=prometheus.url,
            what="Prometheus knows no Alertmanager: alerts fire, and nobody is told",
            evidence=("/api/v1/alertmanagers has no active one",),
            fix="name one under `alerting.alertmanagers`; `gx monitoring render` does",
        )
    own = _own(prometheus)
    addresses = {each.url for each in known}
    for address, evidence in _errors(prometheus, own):
        # Counters of those that it no longer knows are kept until it ends.
        if address in addresses:
            yield Finding(
                cause=Cause.ALERTMANAGER_UNREACHABLE,
                where=f"{prometheus.url} -> {address}",
                what="alerts that are sent there do not arrive",
                evidence=(evidence,),
                fix="start it, correct its address, or open 9093 for Prometheus "
                "(`gx reachability`)",
            )
    yield from find_old_configuration("prometheus", prometheus.url, own)


def find_old_configuration(program: str, url: str, own: Sequence[Sample]) -> Iterator[Finding]:
    """Yield a program that runs with an older configuration than the one that was written."""
    name = f"{program}_config_last_reload_successful"
    if any(each.labels["__name__"] == name and each.value == 0 for each in own):
        check = "amtool check-config" if program == "alertmanager" else "promtool check config"
        yield Finding(
            cause=Cause.OLD_CONFIGURATION,
            where=url,
            what="it refused its new configuration, and goes on with the one before",
            evidence=(f"{name} is 0",),
            fix=f"`{check}` names the line; correct it, and reload",
        )


def _own(prometheus: Prometheus) -> Sequence[Sample]:
    """Return what it says of itself; behind a proxy, the queries may be all that is let through."""
    try:
        return prometheus.own_samples()
    except PrometheusError:
        return ()


def _errors(prometheus: Prometheus, own: Sequence[Sample]) -> Iterator[tuple[str, str]]:
    """Yield each Alertmanager that alerts were not delivered to, with the evidence.

    A Prometheus that scrapes itself tells lately from once; another one knows the sum alone.
    """
    if prometheus.ask(_ERRORS):
        for sample in prometheus.ask(f"increase({_ERRORS}[5m]) > 0"):
            address = sample.labels.get("alertmanager", "?")
            yield address, f"about {_errors_text(sample.value)} in five minutes"
        return
    for sample in own:
        if sample.labels["__name__"] == _ERRORS and sample.value:
            address = sample.labels.get("alertmanager", "?")
            yield address, f"{_errors_text(sample.value)} since Prometheus was started"


def _errors_text(count: float) -> str:
    # An increase is extrapolated: what is above none is at least one.
    whole = max(round(count), 1)
    return "1 error" if whole == 1 else f"{whole} errors"
