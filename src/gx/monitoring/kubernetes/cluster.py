"""Who is there: every workload that sends or receives, where it runs, and on which ports.

The names of namespaces are fields of `Cluster`, each in one place. A party that is not ours, such
as PostgreSQL or an ingress controller, is found by the labels that its usual installation has;
one without pods, such as the issuer of tokens, is a range of addresses.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from gx.monitoring.scrape import LEDGER_NAMESPACE
from gx.monitoring.thresholds import BACKEND_NAMESPACE

BACKEND_TIER: Final = "backend"
_NAME: Final = "app.kubernetes.io/name"

API: Final = "api"
SUBMITTER: Final = "outbox-submitter"
PROJECTOR: Final = "projector"
CHAINCODE: Final = "chaincode"
MIGRATIONS: Final = "migrations"
BOOTSTRAP: Final = "bootstrap"


@dataclass(frozen=True, slots=True, kw_only=True)
class Port:
    """A port of a container. Policies for a pod of ours use its name, so that it may move."""

    name: str
    number: int
    protocol: str = "TCP"


@dataclass(frozen=True, slots=True, kw_only=True)
class Party:
    """Pods of one kind in one namespace. `is_ours` says that `k8s/` has their workload."""

    name: str
    namespace: str
    labels: Mapping[str, str]
    ports: tuple[Port, ...] = ()
    is_ours: bool = True

    def port(self, name: str) -> Port:
        """Return the port of this name.

        Raises:
            KeyError: The party has none; the text names both.
        """
        return _port(self.ports, name, of=f"{self.namespace}/{self.name}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Addresses:
    """Somebody outside the cluster, known by addresses: some ranges, less some others."""

    name: str
    ranges: tuple[str, ...]
    excluded: tuple[str, ...] = ()
    ports: tuple[Port, ...]

    def port(self, name: str) -> Port:
        """Return the port of this name.

        Raises:
            KeyError: Nobody there has one; the text names both.
        """
        return _port(self.ports, name, of=self.name)


PRIVATE: Final = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")
# Also what providers keep for themselves; the metadata service, which hands out credentials, is
# link-local.
_NOT_PUBLIC: Final = (*PRIVATE, "100.64.0.0/10", "169.254.0.0/16")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """The namespaces and addresses of one cluster; the defaults are those of the guides.

    `api_servers` are the ranges that have the Kubernetes API after address translation: narrow
    them to what `kubectl get endpointslices kubernetes` says. `dead_men` is where the dead-man's
    receiver runs when it is one of ours; a hosted one is reached on port 443 like every receiver.
    `managed_stores` are the addresses of PostgreSQL and Valkey where they are no pods, and `people`
    those that may reach node ports; the defaults are nobody's (RFC 5737) and private networks.
    `remote_write_url` is where the component of that name sends samples.
    """

    environments: tuple[str, ...] = ("devnet", "testnet", "mainnet")
    monitoring: str = "monitoring"
    fabric: str = LEDGER_NAMESPACE
    ingress: str = "ingress-nginx"
    api_servers: tuple[str, ...] = PRIVATE
    dead_men: tuple[str, ...] = PRIVATE
    dead_man_port: int = 9096
    managed_stores: tuple[str, ...] = ("192.0.2.0/24",)
    people: tuple[str, ...] = PRIVATE
    remote_write_url: str = "https://metrics.example.com/api/v1/write"

    def backend(self, environment: str) -> str:
        """Return the namespace of an environment's backend."""
        return f"{BACKEND_NAMESPACE}{environment}"

    def stores(self, environment: str) -> str:
        """Return the namespace of an environment's PostgreSQL and Valkey."""
        return f"databases-{environment}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Backend:
    """One environment's workloads, the stores that only they use, and what watches only it."""

    environment: str
    api: Party
    submitter: Party
    projector: Party
    chaincode: Party
    migrations: Party
    bootstrap: Party
    postgresql: Party
    valkey: Party
    postgres_exporter: Party
    redis_exporter: Party
    console: Party

    @property
    def members(self) -> tuple[Party, ...]:
        """What runs in the backend's namespace."""
        processes = (self.api, self.submitter, self.projector, self.chaincode)
        return (*processes, self.migrations, self.bootstrap)


@dataclass(frozen=True, slots=True, kw_only=True)
class Monitoring:
    """What runs once for all environments."""

    prometheus: Party
    alertmanager: Party
    grafana: Party
    blackbox: Party
    state_metrics: Party
    node_exporter: Party


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """Who is there only with an optional component."""

    gate: Party
    people: Addresses
    postgresql: Addresses
    valkey: Addresses


@dataclass(frozen=True, slots=True, kw_only=True)
class Fabric:
    """The nodes of the ledger, which we do not deploy, and who administers them."""

    peer: Party
    orderer: Party
    admin: Party


@dataclass(frozen=True, slots=True, kw_only=True)
class Outsiders:
    """Those whom we neither deploy nor watch."""

    dns: Party
    ingress: Party
    api_server: Addresses
    public: Addresses
    dead_man: Addresses


@dataclass(frozen=True, slots=True)
class Parties:
    """Everybody in one cluster."""

    cluster: Cluster = field(default_factory=Cluster)

    @property
    def backends(self) -> tuple[Backend, ...]:
        """The environments."""
        return tuple(_backend(self.cluster, name) for name in self.cluster.environments)

    @property
    def monitoring(self) -> Monitoring:
        """What watches."""
        namespace = self.cluster.monitoring
        return Monitoring(
            prometheus=_named("prometheus", namespace, http=9090),
            alertmanager=Party(
                name="alertmanager",
                namespace=namespace,
                labels={_NAME: "alertmanager"},
                ports=(
                    Port(name="http", number=9093),
                    Port(name="cluster", number=9094),
                    Port(name="cluster-udp", number=9094, protocol="UDP"),
                ),
            ),
            grafana=_named("grafana", namespace, http=3000),
            blackbox=_named("blackbox-exporter", namespace, http=9115),
            state_metrics=_named("kube-state-metrics", namespace, metrics=8080),
            node_exporter=_named("node-exporter", namespace, metrics=9100),
        )

    @property
    def fabric(self) -> Fabric:
        """The ledger's nodes, by the labels that the guide asks for."""
        namespace = self.cluster.fabric
        return Fabric(
            peer=_node("peer", namespace, gateway=7051, operations=9443),
            orderer=_node("orderer", namespace, orderer=7050, admin=7053, operations=9443),
            admin=_node("admin", namespace),
        )

    @property
    def options(self) -> Options:
        """What optional components add."""
        cluster = self.cluster
        return Options(
            gate=_named(
                "web-gate",
                cluster.monitoring,
                prometheus=9443,
                alertmanager=9444,
                grafana=9445,
            ),
            people=Addresses(name="people", ranges=cluster.people, ports=()),
            postgresql=Addresses(
                name="managed-postgresql",
                ranges=cluster.managed_stores,
                ports=(Port(name="postgresql", number=5432),),
            ),
            valkey=Addresses(
                name="managed-valkey",
                ranges=cluster.managed_stores,
                ports=(Port(name="valkey", number=6379),),
            ),
        )

    @property
    def outsiders(self) -> Outsiders:
        """Everybody else."""
        tls = Port(name="https", number=443)
        return Outsiders(
            dns=Party(
                name="dns",
                namespace="kube-system",
                labels={"k8s-app": "kube-dns"},
                ports=(
                    Port(name="dns", number=53, protocol="UDP"),
                    Port(name="dns-tcp", number=53),
                ),
                is_ours=False,
            ),
            ingress=_foreign("ingress-nginx", self.cluster.ingress),
            api_server=Addresses(
                name="kubernetes",
                ranges=self.cluster.api_servers,
                ports=(tls, Port(name="https-host", number=6443)),
            ),
            public=Addresses(
                name="internet",
                ranges=("0.0.0.0/0",),
                excluded=_NOT_PUBLIC,
                ports=(tls,),
            ),
            dead_man=Addresses(
                name="dead-man",
                ranges=self.cluster.dead_men,
                ports=(Port(name="http", number=self.cluster.dead_man_port),),
            ),
        )


def _port(ports: Iterable[Port], name: str, *, of: str) -> Port:
    for port in ports:
        if port.name == name:
            return port
    raise KeyError(f"{of} has no port {name}")


def _backend(cluster: Cluster, environment: str) -> Backend:
    namespace, stores = cluster.backend(environment), cluster.stores(environment)

    def member(name: str, component: str, **ports: int) -> Party:
        return Party(
            name=name,
            namespace=namespace,
            labels={_NAME: name, "tier": BACKEND_TIER, "component": component},
            ports=tuple(Port(name=port, number=number) for port, number in ports.items()),
        )

    def beside(name: str, **ports: int) -> Party:
        return Party(
            name=f"{name}-{environment}",
            namespace=cluster.monitoring,
            labels={_NAME: name, "environment": environment},
            ports=tuple(Port(name=port, number=number) for port, number in ports.items()),
        )

    return Backend(
        environment=environment,
        api=member(API, "api", http=8000, metrics=9095),
        submitter=member(SUBMITTER, "worker", metrics=9090),
        projector=member(PROJECTOR, "worker", metrics=9091),
        chaincode=member(CHAINCODE, "chaincode", chaincode=9999, metrics=9092),
        migrations=member(MIGRATIONS, "job"),
        bootstrap=member(BOOTSTRAP, "job"),
        postgresql=_foreign("postgresql", stores, postgresql=5432),
        valkey=_foreign("valkey", stores, valkey=6379),
        postgres_exporter=beside("postgres-exporter", metrics=9187),
        redis_exporter=beside("redis-exporter", metrics=9121),
        console=beside("gx-console", http=30300),
    )


def _node(component: str, namespace: str, **ports: int) -> Party:
    return Party(
        name=component,
        namespace=namespace,
        labels={"app.kubernetes.io/component": component},
        ports=tuple(Port(name=port, number=number) for port, number in ports.items()),
        is_ours=False,
    )


def _named(name: str, namespace: str, **ports: int) -> Party:
    return Party(
        name=name,
        namespace=namespace,
        labels={_NAME: name},
        ports=tuple(Port(name=port, number=number) for port, number in ports.items()),
    )


def _foreign(name: str, namespace: str, **ports: int) -> Party:
    return Party(
        name=name,
        namespace=namespace,
        labels={_NAME: name},
        ports=tuple(Port(name=port, number=number) for port, number in ports.items()),
        is_ours=False,
    )
