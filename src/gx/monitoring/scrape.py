"""What a scrape job is: whom it asks, how the answers are labelled, which series are kept.

Values and the relabelling that follows from them. The same rules serve Kubernetes' discovery, the
Prometheus Operator and the local stack, whose targets carry the labels that discovery would give
them. What is kept follows from the metric catalogue, so a metric cannot be exported and then lost
by a filter that nobody renewed.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, TypeAlias

from gx.monitoring.selectors import ExternalMetric, escape
from gx.monitoring.thresholds import BACKEND_NAMESPACE
from gx.telemetry.catalogue import metrics_of
from gx.telemetry.metric import HISTOGRAM_SUFFIXES, Kind, Metric, Process

LEDGER_NAMESPACE: Final = "fabric"
METRICS_PORT: Final = "metrics"

# prometheus_client's own; whatever a later version of it adds is worth having.
_LIBRARY_PREFIXES: Final = ("process_.+", "python_.+")

_META: Final = "__meta_kubernetes_"
_NAMESPACE: Final = _META + "namespace"
_POD: Final = _META + "pod_name"
_PHASE: Final = _META + "pod_phase"
_SERVICE: Final = _META + "service_name"
_SLICE_PORT: Final = _META + "endpointslice_port_name"
_POD_PORT: Final = _META + "pod_container_port_name"
_SERVICE_APP: Final = _META + "service_label_app_kubernetes_io_name"
_SERVICE_ENVIRONMENT: Final = _META + "service_label_environment"
_NODE: Final = _META + "pod_node_name"
_ANNOTATION: Final = _META + "pod_annotation_prometheus_io_"


class Scope(StrEnum):
    """In which namespaces a job looks."""

    ENVIRONMENTS = "those of the deployed environments"
    LEDGER = "the ledger network's"
    OWN = "the one that Prometheus itself runs in"


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetLabels:
    """What a target is: set by the scrape alone, never by the application."""

    namespace: str
    environment: str
    service: str

    @classmethod
    def of(cls, environment: str, service: str) -> "TargetLabels":
        """Make the labels of a service of the backend in an environment."""
        namespace = BACKEND_NAMESPACE + environment
        return cls(namespace=namespace, environment=environment, service=service)

    def to_yaml(self) -> dict[str, object]:
        """Return them as a scrape configuration spells them."""
        return {
            "namespace": self.namespace,
            "environment": self.environment,
            "service": self.service,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetGroup:
    """URLs to probe that carry the same labels."""

    targets: tuple[str, ...]
    labels: TargetLabels

    def to_yaml(self) -> dict[str, object]:
        """Return it as a static configuration."""
        return {"targets": list(self.targets), "labels": self.labels.to_yaml()}


@dataclass(frozen=True, slots=True, kw_only=True)
class ServicePort:
    """Every pod behind a Service, at the port that the Service calls `port`.

    The Service is found by `service`, its name, or else by `app`, its label
    `app.kubernetes.io/name`. Its label `environment`, if it has one, is the target's: an exporter
    stands beside Prometheus and speaks of another namespace.
    """

    scope: Scope
    app: str
    port: str = METRICS_PORT
    service: str | None = None
    is_per_node: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PodPort:
    """Every pod with these labels, at the container port that it calls `port`.

    `is_annotated`: only pods that ask for it (`prometheus.io/scrape`), at the port and path that
    their annotations say.
    """

    scope: Scope
    labels: tuple[tuple[str, str], ...]
    port: str = METRICS_PORT
    is_annotated: bool = False


Selection: TypeAlias = ServicePort | PodPort


@dataclass(frozen=True, slots=True, kw_only=True)
class Relabel:
    """One relabelling rule, in Prometheus' own words."""

    action: str = "replace"
    sources: tuple[str, ...] = ()
    regex: str | None = None
    target: str | None = None
    replacement: str | None = None

    def to_yaml(self) -> dict[str, object]:
        """Return it as Prometheus spells it."""
        return self._spell(("source_labels", "regex", "action", "target_label", "replacement"))

    def to_operator(self) -> dict[str, object]:
        """Return it as the Prometheus Operator spells it."""
        return self._spell(("sourceLabels", "regex", "action", "targetLabel", "replacement"))

    def _spell(self, keys: Sequence[str]) -> dict[str, object]:
        action = None if self.action == "replace" else self.action
        values = (list(self.sources), self.regex, action, self.target, self.replacement)
        return {key: value for key, value in zip(keys, values, strict=True) if value}


@dataclass(frozen=True, slots=True, kw_only=True)
class ScrapeJob:
    """One job.

    `selection` is how Kubernetes finds its targets; None where it has none there. `keeps` is the
    anchored expression of the series to keep; None keeps all. A scrape with more samples than
    `samples_max` fails. `service` becomes the targets' label; `drops` are labels of samples that
    repeat what the target's labels say.
    """

    name: str
    service: str
    selection: Selection | None
    keeps: str | None
    samples_max: int
    drops: tuple[str, ...] = ()
    honors_labels: bool = False

    def to_yaml(self, discovery: Mapping[str, object]) -> dict[str, object]:
        """Return it as Prometheus spells it, with these targets."""
        honors: dict[str, object] = {"honor_labels": True} if self.honors_labels else {}
        return {
            "job_name": self.name,
            "sample_limit": self.samples_max,
            **honors,
            **discovery,
            "relabel_configs": [rule.to_yaml() for rule in self.relabelling],
            **({"metric_relabel_configs": self._filter()} if self._filter() else {}),
        }

    @property
    def choice(self) -> tuple[Relabel, ...]:
        """Which of the discovered targets are this job's, and where they are asked."""
        return tuple(_choose(self.selection))

    @property
    def relabelling(self) -> tuple[Relabel, ...]:
        """Which targets stay, and what they are called."""
        return (*self.choice, *_label(self.selection, self.service))

    @property
    def metric_relabelling(self) -> tuple[Relabel, ...]:
        """Which samples stay, and what of theirs the target's labels replace."""
        rules = [Relabel(action="keep", sources=("__name__",), regex=self.keeps)]
        rules = rules if self.keeps else []
        rules += [Relabel(action="labeldrop", regex=label) for label in self.drops]
        if self.honors_labels:
            rules.append(_environment_of("namespace"))
        return tuple(rules)

    def _filter(self) -> list[dict[str, object]]:
        return [rule.to_yaml() for rule in self.metric_relabelling]


def keep_pattern(process: Process) -> str:
    """Build the anchored expression that matches every series a process is to deliver."""
    ours = [metric for metric in metrics_of(process) if not metric.by_client_library]
    return "|".join([*(_series_pattern(metric) for metric in ours), *_LIBRARY_PREFIXES])


def keep_external(metrics: Iterable[ExternalMetric]) -> str:
    """Build the anchored expression that matches every series of other programs' metrics."""
    return "|".join(sorted(_series_pattern(metric) for metric in metrics))


def has_service_label(process: Process) -> bool:
    """Say whether a process names its service in its own metrics, too."""
    return any("service" in metric.label_names for metric in metrics_of(process))


def discovered_labels(job: ScrapeJob, namespace: str, port: int) -> dict[str, str]:
    """Return the labels that Kubernetes' discovery would give one target of a job."""
    labels = {_NAMESPACE: namespace}
    match job.selection:
        case ServicePort() as chosen:
            labels |= {
                _SERVICE: chosen.service or chosen.app,
                _SERVICE_APP: chosen.app,
                _SLICE_PORT: chosen.port,
            }
            if chosen.scope is Scope.OWN and namespace.startswith(BACKEND_NAMESPACE):
                labels[_SERVICE_ENVIRONMENT] = namespace.removeprefix(BACKEND_NAMESPACE)
        case PodPort() as chosen:
            labels |= {_pod_label(name): value for name, value in chosen.labels}
            labels[_POD_PORT] = chosen.port
            if chosen.is_annotated:
                labels |= {_ANNOTATION + "scrape": "true", _ANNOTATION + "port": str(port)}
        case None:
            pass
    return labels


def _choose(selection: Selection | None) -> Iterator[Relabel]:
    match selection:
        case ServicePort(service=str() as service) as chosen:
            yield _keep((_SERVICE, _SLICE_PORT), (service, chosen.port))
        case ServicePort() as chosen:
            yield _keep((_SERVICE_APP, _SLICE_PORT), (chosen.app, chosen.port))
        case PodPort() as chosen:
            names, values = zip(*chosen.labels, strict=True)
            sources = (*(_pod_label(name) for name in names), _POD_PORT)
            yield _keep(sources, (*values, chosen.port))
            if chosen.is_annotated:
                yield from _follow_annotations()
        case None:
            return
    # A pod that has ended keeps its address for a while, and another may have it by then.
    yield Relabel(action="drop", sources=(_PHASE,), regex="Succeeded|Failed")


def _follow_annotations() -> Iterator[Relabel]:
    yield Relabel(action="keep", sources=(_ANNOTATION + "scrape",), regex="true")
    yield Relabel(
        sources=("__address__", _ANNOTATION + "port"),
        regex=r"(.+?)(?::\d+)?;(\d+)",
        target="__address__",
        replacement="$1:$2",
    )
    yield Relabel(sources=(_ANNOTATION + "path",), regex="(.+)", target="__metrics_path__")


def _label(selection: Selection | None, service: str) -> Iterator[Relabel]:
    yield Relabel(sources=(_NAMESPACE,), target="namespace")
    yield _environment_of("namespace")
    if isinstance(selection, ServicePort) and selection.scope is Scope.OWN:
        yield Relabel(sources=(_SERVICE_ENVIRONMENT,), regex="(.+)", target="environment")
        yield Relabel(
            sources=(_SERVICE_ENVIRONMENT,),
            regex="(.+)",
            target="namespace",
            replacement=f"{BACKEND_NAMESPACE}$1",
        )
    yield Relabel(sources=(_POD,), target="pod")
    yield Relabel(target="service", replacement=service)
    if isinstance(selection, ServicePort) and selection.is_per_node:
        yield Relabel(sources=(_NODE,), regex="(.+)", target="instance")


def _environment_of(label: str) -> Relabel:
    return Relabel(sources=(label,), regex=f"{BACKEND_NAMESPACE}(.+)", target="environment")


def _keep(sources: tuple[str, ...], values: Sequence[str]) -> Relabel:
    return Relabel(action="keep", sources=sources, regex=";".join(escape(each) for each in values))


def _pod_label(name: str) -> str:
    return _META + "pod_label_" + "".join(each if each.isalnum() else "_" for each in name)


def _series_pattern(metric: Metric | ExternalMetric) -> str:
    if metric.kind is not Kind.HISTOGRAM:
        return metric.name
    return f"{metric.name}({'|'.join(HISTOGRAM_SUFFIXES)})"
