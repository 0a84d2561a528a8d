"""What is meant to reach what: the catalogue's scrape jobs, probes and flows as a list of wishes.

A wish names its ends as the catalogue knows them; which pods they are, manifests say.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, TypeAlias

from gx.monitoring.jobs import DISCOVERED_JOBS, PROBE_JOB, PROBED_SERVICES, scope_namespaces
from gx.monitoring.kubernetes.cluster import Addresses, Backend, Cluster, Parties, Party
from gx.monitoring.kubernetes.flows import SCRAPES, Flow, declare_flows
from gx.monitoring.scrape import Scope, ScrapeJob, Selection

ENVIRONMENT_LABEL: Final = "environment"
APP_LABEL: Final = "app.kubernetes.io/name"


class Kind(StrEnum):
    """How a wish finds who is at its end."""

    SCRAPE = "scrape"
    PROBE = "probe"
    FLOW = "flow"


@dataclass(frozen=True, slots=True, kw_only=True)
class Discovered:
    """What a scrape job's discovery finds in a namespace.

    `environment` is the label that a Service beside Prometheus must have; empty where it needs
    none.
    """

    selection: Selection
    namespace: str
    environment: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Addressed:
    """A Service by its name and the number of its port, as a probe's URL has them."""

    service: str
    namespace: str
    port: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """A party's port, by its name."""

    party: Party | Addresses
    port: str


Aim: TypeAlias = Discovered | Addressed | Known


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """One thing that must be reachable; `environment` is empty where it serves all of them."""

    kind: Kind
    name: str
    environment: str
    source: Party | Addresses
    aim: Aim


@dataclass(frozen=True, slots=True)
class Catalogue:
    """What to judge manifests by: who is there, which jobs ask, which flows are declared."""

    parties: Parties = field(default_factory=Parties)
    jobs: Sequence[ScrapeJob] = DISCOVERED_JOBS
    more_flows: Sequence[Flow] = ()

    @classmethod
    def of(cls, environments: Sequence[str]) -> "Catalogue":
        """Return the catalogue for these environments alone."""
        return cls(Parties(Cluster(environments=tuple(environments))))

    @property
    def environments(self) -> tuple[str, ...]:
        """The environments that are judged."""
        return self.parties.cluster.environments

    @property
    def flows(self) -> tuple[Flow, ...]:
        """Every flow, scrapes too."""
        return (*declare_flows(self.parties), *self.more_flows)

    @property
    def wishes(self) -> tuple[Wish, ...]:
        """Everything that must be reachable: by job and environment, then by flow."""
        return (
            *(wish for job in self.jobs for wish in self._scrapes(job)),
            *(wish for backend in self.parties.backends for wish in self._probes(backend)),
            *(wish for flow in self.flows if flow.why != SCRAPES for wish in self._flow(flow)),
        )

    def _scrapes(self, job: ScrapeJob) -> Iterator[Wish]:
        """Yield a wish for each namespace that a job looks in, and each environment that it serves.

        Beside Prometheus, an environment's exporters are told apart by a label of their Service.
        """
        if job.selection is None:
            return
        prometheus = self.parties.monitoring.prometheus
        for namespace, environment, label in self._places(job.selection):
            yield Wish(
                kind=Kind.SCRAPE,
                name=job.name,
                environment=environment,
                source=prometheus,
                aim=Discovered(selection=job.selection, namespace=namespace, environment=label),
            )

    def _places(self, selection: Selection) -> Iterator[tuple[str, str, str]]:
        """Yield namespace, environment, and the environment's label where it needs one."""
        cluster = self.parties.cluster
        match selection.scope:
            case Scope.ENVIRONMENTS:
                for name in cluster.environments:
                    yield cluster.backend(name), name, ""
            case Scope.LEDGER:
                for namespace in scope_namespaces(selection.scope, ()):
                    yield namespace, "", ""
            case Scope.OWN:
                owners = [name for name, party in self._beside() if _is_found_by(party, selection)]
                for name in owners or [""]:
                    yield cluster.monitoring, name, name

    def _beside(self) -> Iterator[tuple[str, Party]]:
        """Yield what stands beside Prometheus for one environment each."""
        for backend in self.parties.backends:
            for party in (backend.postgres_exporter, backend.redis_exporter):
                yield backend.environment, party

    def _probes(self, backend: Backend) -> Iterator[Wish]:
        namespace = self.parties.cluster.backend(backend.environment)
        for where in PROBED_SERVICES.values():
            service, _, port = where.partition(":")
            yield Wish(
                kind=Kind.PROBE,
                name=PROBE_JOB,
                environment=backend.environment,
                source=self.parties.monitoring.blackbox,
                aim=Addressed(service=service, namespace=namespace, port=int(port)),
            )

    def _flow(self, flow: Flow) -> Iterator[Wish]:
        for port in flow.ports:
            yield Wish(
                kind=Kind.FLOW,
                name=flow.why,
                environment=self._environment_of(flow),
                source=flow.source,
                aim=Known(party=flow.target, port=port),
            )

    def _environment_of(self, flow: Flow) -> str:
        """Return the environment that one of a flow's ends belongs to."""
        cluster = self.parties.cluster
        for end in (flow.source, flow.target):
            if not isinstance(end, Party):
                continue
            for name in cluster.environments:
                is_there = end.namespace in {cluster.backend(name), cluster.stores(name)}
                if is_there or end.labels.get(ENVIRONMENT_LABEL) == name:
                    return name
        return ""


def _is_found_by(party: Party, selection: Selection) -> bool:
    return party.labels.get(APP_LABEL) == getattr(selection, "app", None)
