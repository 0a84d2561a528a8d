"""The exporters of the local stack: of PostgreSQL, of the machine, and of Valkey.

Each is optional: where its program cannot be had, nobody asks for it and the rest runs.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from gx.runtime.ports import PortNeed
from gx.runtime.process import ProcessSpec
from gx.runtime.prometheus import (
    exporter_dsn,
    node_exporter_command,
    postgres_exporter_command,
    redis_exporter_command,
)
from gx.runtime.readiness import HttpReady
from gx.runtime.settings import StackSettings
from gx.runtime.tools import Program, Tool, Toolbox

HOST: Final = "127.0.0.1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Exporters:
    """Which exporters there are, and how each is started.

    `dsn` is the database, `redis_url` the cache or None without one; both may hold a password,
    which goes into the environment of the exporter concerned and nowhere else.
    """

    toolbox: Toolbox
    ports: StackSettings
    environment: Mapping[str, str]
    dsn: str
    redis_url: str | None

    @property
    def postgres_port(self) -> int | None:
        """Where the exporter of PostgreSQL listens; None where there is none."""
        tool = self.toolbox.tools.get(Program.POSTGRES_EXPORTER)
        return self.ports.postgres_exporter_port if tool else None

    @property
    def node_port(self) -> int | None:
        """Where the exporter of the machine listens; None where there is none."""
        tool = self.toolbox.tools.get(Program.NODE_EXPORTER)
        return self.ports.node_exporter_port if tool else None

    @property
    def redis_port(self) -> int | None:
        """Where the exporter of Valkey listens; None where there is none, or no Valkey."""
        tool = self.toolbox.tools.get(Program.REDIS_EXPORTER)
        return self.ports.redis_exporter_port if tool and self.redis_url else None

    def processes(self, *, queries: Path) -> list[ProcessSpec]:
        """Return what has to run; `queries` are those of ours to PostgreSQL."""
        found = (self._postgres(queries), self._node(), self._redis())
        return [each for each in found if each is not None]

    def _postgres(self, queries: Path) -> ProcessSpec | None:
        tool = self.toolbox.tools.get(Program.POSTGRES_EXPORTER)
        if tool is None:
            return None
        port = self.ports.postgres_exporter_port
        return self._process(
            "postgres-exporter",
            postgres_exporter_command(tool, queries=queries, port=port),
            need=PortNeed(port=port, setting="GX_STACK_POSTGRES_EXPORTER_PORT"),
            secrets={"DATA_SOURCE_NAME": exporter_dsn(self.dsn)},
        )

    def _node(self) -> ProcessSpec | None:
        tool = self.toolbox.tools.get(Program.NODE_EXPORTER)
        if tool is None:
            return None
        port = self.ports.node_exporter_port
        need = PortNeed(port=port, setting="GX_STACK_NODE_EXPORTER_PORT")
        return self._process("node-exporter", node_exporter_command(tool, port=port), need=need)

    def _redis(self) -> ProcessSpec | None:
        tool: Tool | None = self.toolbox.tools.get(Program.REDIS_EXPORTER)
        if tool is None or self.redis_url is None:
            return None
        port, server = self.ports.redis_exporter_port, urlsplit(self.redis_url)
        address = f"{server.scheme}://{server.hostname}:{server.port}"
        return self._process(
            "redis-exporter",
            redis_exporter_command(tool, address=address, port=port),
            need=PortNeed(port=port, setting="GX_STACK_REDIS_EXPORTER_PORT"),
            secrets={"REDIS_PASSWORD": server.password or ""},
            probe="/health",
        )

    def _process(
        self,
        name: str,
        command: tuple[str, ...],
        *,
        need: PortNeed,
        secrets: Mapping[str, str] | None = None,
        probe: str = "/",
    ) -> ProcessSpec:
        return ProcessSpec(
            name=name,
            command=command,
            environment={**self.environment, **(secrets or {})},
            readiness=HttpReady(url=f"http://{HOST}:{need.port}{probe}"),
            ports=(need,),
            is_optional=True,
        )
