"""The whole system on one machine: which processes, in which order, with which settings.

The same processes as in production, each with its own port; PostgreSQL, Valkey, Prometheus,
Alertmanager and the exporters are real. Everything listens on loopback.
"""

import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from gx.database.embedded import EmbeddedPostgres
from gx.database.migrations import migrate
from gx.ledger.kinds import LedgerKind
from gx.monitoring.deadman.edge import HEARTBEAT_PATH, STATUS_PATH
from gx.monitoring.local import LocalFiles, LocalStack, write_local
from gx.runtime.alerting import on_this_machine
from gx.runtime.exporters import Exporters
from gx.runtime.ports import PortNeed
from gx.runtime.process import ProcessSpec, StackItem, StepSpec
from gx.runtime.prometheus import alertmanager_command, blackbox_command, prometheus_command
from gx.runtime.readiness import CallReady, HttpReady
from gx.runtime.settings import (
    ApiSettings,
    CommonSettings,
    ConsoleSettings,
    MonitoringSettings,
    ProjectorSettings,
    StackSettings,
    SubmitterSettings,
    database_url,
    environment,
    load,
)
from gx.runtime.stack import API_URL, POSTGRES
from gx.runtime.stack_ledger import LedgerPart, plan_ledger
from gx.runtime.tools import Program, Tool, Toolbox
from gx.runtime.valkey import EmbeddedValkey
from gx.runtime.web_console import CONSOLE_URL, console_address, console_links, console_process

HOST: Final = "127.0.0.1"
VALKEY: Final = "valkey"
MIGRATIONS: Final = "migrations"
API: Final = "api"
SUBMITTER: Final = "outbox-submitter"
PROJECTOR: Final = "projector"
BOOTSTRAP: Final = "bootstrap"
DEADMAN: Final = "deadman"
STOP_GRACE_S: Final = 25.0
SECRETS: Final = ("DATABASE_URL", "GX_DATABASE_DSN", "GX_API_REDIS_URL", "GX_TOKEN")
"""Variables that no process inherits: each gets those that it needs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalStackOptions:
    """What the user chose for this start.

    Without a `ledger` it is the one that GX_LEDGER names. `bootstrap` runs once the loop is up;
    the caller brings it, because operations are built on top of the running system.
    """

    ledger: LedgerKind | None = None
    with_redis: bool = True
    with_monitoring: bool = True
    bootstrap: Callable[[], Awaitable[None]] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A stack that can be handed to a supervisor, and what to tell people about it."""

    items: Sequence[StackItem]
    urls: Mapping[str, str]
    notices: Sequence[str]


@dataclass(slots=True)
class Planner:
    """Puts the local stack together. Preparing makes the database cluster, which takes a second."""

    options: LocalStackOptions
    toolbox: Toolbox
    common: CommonSettings = field(default_factory=lambda: load(CommonSettings))
    ports: StackSettings = field(default_factory=lambda: load(StackSettings))
    api: ApiSettings = field(default_factory=lambda: load(ApiSettings))
    submitter: SubmitterSettings = field(default_factory=lambda: load(SubmitterSettings))
    projector: ProjectorSettings = field(default_factory=lambda: load(ProjectorSettings))
    pages: MonitoringSettings = field(default_factory=lambda: load(MonitoringSettings))
    console: ConsoleSettings = field(default_factory=lambda: load(ConsoleSettings))
    _items: list[StackItem] = field(default_factory=list)
    _notices: list[str] = field(default_factory=list)
    _environment: dict[str, str] = field(default_factory=dict)
    _database: dict[str, str] = field(default_factory=dict)
    _redis: dict[str, str] = field(default_factory=dict)
    _ledger: LedgerPart = field(default_factory=LedgerPart)
    _migrations_after: tuple[str, ...] = ()
    _api_after: tuple[str, ...] = (MIGRATIONS,)

    def plan(self) -> Plan:
        """Decide what runs.

        Raises:
            GxError: PostgreSQL or Valkey cannot be prepared; the text says what to do.
        """
        self._environment = self._shared_environment()
        dsn = database_url() or self._add_postgres()
        self._database = {"GX_DATABASE_DSN": dsn}
        if self.options.with_redis:
            self._add_valkey()
        self._items.append(
            StepSpec(name=MIGRATIONS, action=lambda: _migrate(dsn), after=self._migrations_after)
        )
        self._add_ledger()
        self._add_loop()
        if self.options.bootstrap is not None:
            after = (API, SUBMITTER, PROJECTOR, self._ledger.ready)
            self._items.append(StepSpec(name=BOOTSTRAP, action=self.options.bootstrap, after=after))
        if self.options.with_monitoring:
            self._add_monitoring()
        return Plan(items=self._items, urls=self._urls(), notices=self._notices)

    @property
    def _data(self) -> Path:
        return self.common.data_dir.absolute()

    def _shared_environment(self) -> dict[str, str]:
        inherited = {key: value for key, value in environment().items() if key not in SECRETS}
        return {
            **inherited,
            "GX_DATA_DIR": str(self._data),
            "GX_API_KEYS_DIR": str(self._data / "keys"),
            "PYTHONUNBUFFERED": "1",
        }

    def _add_postgres(self) -> str:
        port = self.ports.postgres_port
        postgres = EmbeddedPostgres(home=self._data / POSTGRES, port=port).prepare()
        self._notices.extend(postgres.notices)
        self._items.append(
            ProcessSpec(
                name=POSTGRES,
                command=postgres.command,
                environment=postgres.environment,
                account=postgres.account,
                working_folder=Path("/"),
                readiness=CallReady(ask=postgres.is_ready),
                ports=(PortNeed(port=port, setting="GX_STACK_POSTGRES_PORT"),),
                stop_signal=postgres.stop_signal,
                stop_grace_s=STOP_GRACE_S,
                death_signal=postgres.death_signal,
            )
        )
        self._migrations_after = (POSTGRES,)
        return postgres.socket_dsn

    def _add_valkey(self) -> None:
        port = self.ports.valkey_port
        valkey = EmbeddedValkey(home=self._data / VALKEY, port=port).prepare()
        self._redis = {"GX_API_REDIS_URL": valkey.url}
        self._items.append(
            ProcessSpec(
                name=VALKEY,
                command=valkey.command,
                environment=valkey.environment,
                readiness=CallReady(ask=valkey.is_ready),
                ports=(PortNeed(port=port, setting="GX_STACK_VALKEY_PORT"),),
                stop_signal=valkey.stop_signal,
            )
        )
        self._api_after = (MIGRATIONS, VALKEY)

    def _add_ledger(self) -> None:
        kind = self.options.ledger or self.common.ledger
        self._ledger = plan_ledger(kind, self.common, self._environment)
        self._items.extend(self._ledger.items)
        self._environment |= self._ledger.environment

    def _add_loop(self) -> None:
        """Add the processes of production, each with the secrets that it needs and no others."""
        after = (MIGRATIONS, self._ledger.ready)
        submitter = PortNeed(port=self.submitter.metrics_port, setting="GX_SUBMITTER_METRICS_PORT")
        self._add_worker(
            SUBMITTER, ("outbox", "submit"), (submitter,), after=after, secrets=self._database
        )
        projector = PortNeed(port=self.projector.metrics_port, setting="GX_PROJECTOR_METRICS_PORT")
        self._add_worker(
            PROJECTOR, ("projection", "run"), (projector,), after=after, secrets=self._database
        )
        api = PortNeed(port=self.api.port, setting="GX_API_PORT")
        metrics = PortNeed(port=self.api.metrics_port, setting="GX_API_METRICS_PORT")
        secrets = {**self._database, **self._redis}
        self._add_worker(
            API, ("api", "serve"), (api, metrics), after=self._api_after, secrets=secrets
        )

    def _add_worker(
        self,
        name: str,
        subcommand: tuple[str, ...],
        ports: tuple[PortNeed, ...],
        *,
        after: tuple[str, ...] = (),
        secrets: Mapping[str, str] | None = None,
    ) -> None:
        """Add one of our own processes; it is ready when its first port says so."""
        self._items.append(
            ProcessSpec(
                name=name,
                command=(sys.executable, "-m", "gx.cli.main", *subcommand),
                environment={**self._environment, **(secrets or {})},
                readiness=HttpReady(url=f"http://{HOST}:{ports[0].port}/readyz"),
                ports=ports,
                after=after,
                stop_grace_s=STOP_GRACE_S,
            )
        )

    def _add_monitoring(self) -> None:
        if self.toolbox.advice:
            self._notices.append(self.toolbox.advice)
        files = write_local(self._monitored(), self._data / "monitoring")
        for program, add in (
            (Program.PROMETHEUS, self._add_prometheus),
            (Program.ALERTMANAGER, self._add_alertmanager),
            (Program.BLACKBOX, self._add_blackbox),
        ):
            tool = self.toolbox.tools.get(program)
            if tool is not None:
                add(tool, files)
        self._items += self._exporters.processes(queries=files.postgres_queries)
        if self._has_deadman:
            self._add_deadman()
        self._add_console()

    def _add_console(self) -> None:
        """Add the console, also where no Prometheus can be had: it shows commands all the same."""
        base = f"http://{HOST}"
        sources = {
            "prometheus_url": f"{base}:{self.ports.prometheus_port}",
            "alertmanager_url": f"{base}:{self.ports.alertmanager_port}",
            "api_url": f"{base}:{self.api.port}",
        }
        interval_s = self.ports.scrape_interval_s
        self._items.append(
            console_process(
                self.console, self._environment, sources=sources, scrape_interval_s=interval_s
            )
        )

    @property
    def _has_deadman(self) -> bool:
        """Whether heartbeats will come: without Alertmanager there would be an alarm for ever."""
        return {Program.PROMETHEUS, Program.ALERTMANAGER} <= set(self.toolbox.tools)

    def _add_deadman(self) -> None:
        """Add the dead-man's receiver, beside what it watches: here one can see how it works."""
        port = self.ports.deadman_port
        settings = {
            "GX_DEADMAN_HOST": HOST,
            "GX_DEADMAN_PORT": str(port),
            "GX_DEADMAN_STATE_FILE": str(self._data / "deadman" / "state.json"),
        }
        self._items.append(
            ProcessSpec(
                name=DEADMAN,
                command=(sys.executable, "-m", "gx.cli.main", "deadman"),
                environment={**self._environment, **settings},
                readiness=HttpReady(url=f"http://{HOST}:{port}/readyz"),
                ports=(PortNeed(port=port, setting="GX_STACK_DEADMAN_PORT"),),
                is_optional=True,
            )
        )

    @property
    def _exporters(self) -> Exporters:
        return Exporters(
            toolbox=self.toolbox,
            ports=self.ports,
            environment=self._environment,
            dsn=self._database["GX_DATABASE_DSN"],
            redis_url=self._redis.get("GX_API_REDIS_URL"),
        )

    def _monitored(self) -> LocalStack:
        exporters, ledger = self._exporters, self._ledger.targets
        return LocalStack(
            api_port=self.api.port,
            api_metrics_port=self.api.metrics_port,
            submitter_ports=(self.submitter.metrics_port,),
            projector_ports=(self.projector.metrics_port,),
            ledger_port=ledger.embedded,
            orderer_ports=ledger.orderers,
            peer_ports=ledger.peers,
            chaincode_ports=ledger.chaincode,
            chaincode_targets=ledger.chaincode_file,
            prometheus_port=self.ports.prometheus_port,
            alertmanager_port=self.ports.alertmanager_port,
            blackbox_port=self.ports.blackbox_port,
            postgres_exporter_port=exporters.postgres_port,
            redis_exporter_port=exporters.redis_port,
            node_exporter_port=exporters.node_port,
            environment=self.common.environment.value,
            scrape_interval_s=self.ports.scrape_interval_s,
            deadman_port=self.ports.deadman_port if self._has_deadman else None,
            destinations=on_this_machine(
                deadman_url=f"http://{HOST}:{self.ports.deadman_port}{HEARTBEAT_PATH}"
            ),
            links=console_links(self.console, self.pages),
        )

    def _add_prometheus(self, tool: Tool, files: LocalFiles) -> None:
        port = self.ports.prometheus_port
        command = prometheus_command(
            tool,
            configuration=files.prometheus,
            storage=self._data / "prometheus",
            port=port,
            retention_days=self.ports.retention_days,
            external_url=self.pages.prometheus_external_url,
        )
        need = PortNeed(port=port, setting="GX_STACK_PROMETHEUS_PORT")
        # Before these are ready their probes fail, and every start would burn the error budget.
        after = (API, SUBMITTER, PROJECTOR)
        self._add_tool("prometheus", tool, command, need=need, probe="/-/ready", after=after)

    def _add_alertmanager(self, tool: Tool, files: LocalFiles) -> None:
        port = self.ports.alertmanager_port
        command = alertmanager_command(
            tool,
            configuration=files.alertmanager,
            storage=self._data / "alertmanager",
            port=port,
            external_url=self.pages.alertmanager_external_url,
        )
        need = PortNeed(port=port, setting="GX_STACK_ALERTMANAGER_PORT")
        self._add_tool("alertmanager", tool, command, need=need, probe="/-/ready")

    def _add_blackbox(self, tool: Tool, files: LocalFiles) -> None:
        port = self.ports.blackbox_port
        command = blackbox_command(tool, configuration=files.blackbox, port=port)
        need = PortNeed(port=port, setting="GX_STACK_BLACKBOX_PORT")
        self._add_tool("blackbox", tool, command, need=need, probe="/-/healthy")

    def _add_tool(
        self,
        name: str,
        tool: Tool,
        command: tuple[str, ...],
        *,
        need: PortNeed,
        probe: str,
        after: tuple[str, ...] = (),
    ) -> None:
        self._items.append(
            ProcessSpec(
                name=name,
                command=command,
                working_folder=tool.working_folder,
                readiness=HttpReady(url=f"http://{HOST}:{need.port}{probe}"),
                ports=(need,),
                after=after,
                is_optional=True,
            )
        )

    def _urls(self) -> dict[str, str]:
        base = f"http://{HOST}"
        urls = {
            API_URL: f"{base}:{self.api.port}/api/v1",
            "OpenAPI document": f"{base}:{self.api.port}/openapi.json",
            "submitter metrics": f"{base}:{self.submitter.metrics_port}/metrics",
            "projector metrics": f"{base}:{self.projector.metrics_port}/metrics",
            "API metrics": f"{base}:{self.api.metrics_port}/metrics",
            **self._ledger.urls,
        }
        if self.options.with_monitoring:
            urls |= self._monitoring_urls(base)
        return urls

    def _monitoring_urls(self, base: str) -> dict[str, str]:
        urls = {CONSOLE_URL: console_address(self.console)}
        prometheus = self.toolbox.tools.get(Program.PROMETHEUS)
        if prometheus is not None:
            pages = f"{base}:{self.ports.prometheus_port}{prometheus.pages_prefix or ''}"
            urls["Prometheus targets"] = f"{pages}/targets"
            urls["Prometheus alerts"] = f"{pages}/alerts"
        if Program.ALERTMANAGER in self.toolbox.tools:
            urls["Alertmanager (API only)"] = f"{base}:{self.ports.alertmanager_port}/api/v2/alerts"
        if self._has_deadman:
            urls["dead-man's receiver"] = f"{base}:{self.ports.deadman_port}{STATUS_PATH}"
        return urls


async def _migrate(dsn: str) -> None:
    await migrate(dsn)
