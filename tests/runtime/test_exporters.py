"""The exporters of the local stack: who runs, on which address, with which secret."""

from collections.abc import Mapping
from pathlib import Path

import pytest
import yaml

from gx.runtime.local_stack import API, PROJECTOR, SUBMITTER, LocalStackOptions, Plan, Planner
from gx.runtime.process import ProcessSpec
from gx.runtime.prometheus import exporter_dsn
from gx.runtime.tools import Program, Tool, Toolbox

DSN = "postgresql://gx:pw-of-the-test@db.example/gx"
ALL = {"postgres-exporter", "node-exporter", "redis-exporter"}


def toolbox_without(*missing: Program) -> Toolbox:
    """A machine that has every program but these."""
    tools = {
        program: Tool(program=program, path=Path("/usr/bin") / program, version="1")
        for program in Program
        if program not in missing
    }
    return Toolbox(tools=tools, advice="install the rest" if missing else None)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a stack on somebody else's database."""
    monkeypatch.setenv("DATABASE_URL", DSN)
    monkeypatch.setenv("GX_DATA_DIR", str(tmp_path))
    return tmp_path


def plan(*missing: Program, with_redis: bool = True) -> Plan:
    """Plan a stack on a machine without these programs."""
    options = LocalStackOptions(with_redis=with_redis)
    return Planner(options=options, toolbox=toolbox_without(*missing)).plan()


def processes(planned: Plan) -> Mapping[str, ProcessSpec]:
    """Return the processes by name."""
    return {item.name: item for item in planned.items if isinstance(item, ProcessSpec)}


def scraped(folder: Path) -> set[str]:
    """Return the jobs of the Prometheus that the plan configures."""
    document = yaml.safe_load((folder / "monitoring" / "prometheus.yml").read_text())
    return {job["job_name"] for job in document["scrape_configs"]}


def test_every_exporter_runs_and_is_scraped(folder: Path) -> None:
    """Each is optional: a stack starts without it, and keeps trying."""
    specs = processes(plan())

    assert set(specs) >= ALL
    assert all(specs[name].is_optional for name in ALL)
    assert {"postgres", "node", "redis"} <= scraped(folder)


def test_without_valkey_nobody_asks_for_it(folder: Path) -> None:
    """No exporter, and no target that would be down."""
    assert set(processes(plan(with_redis=False))) & ALL == ALL - {"redis-exporter"}
    assert "redis" not in scraped(folder)


@pytest.mark.parametrize(
    ("program", "name", "job"),
    [
        (Program.POSTGRES_EXPORTER, "postgres-exporter", "postgres"),
        (Program.NODE_EXPORTER, "node-exporter", "node"),
        (Program.REDIS_EXPORTER, "redis-exporter", "redis"),
    ],
)
def test_a_program_that_is_missing_takes_nothing_along(
    folder: Path, program: Program, name: str, job: str
) -> None:
    """The others run, nobody scrapes it, and people are told."""
    planned = plan(program)

    assert set(processes(planned)) & ALL == ALL - {name}
    assert job not in scraped(folder)
    assert planned.notices == ["install the rest"]


def test_they_listen_on_loopback_alone(folder: Path) -> None:
    """Debian's defaults listen on every interface; each port has a setting that moves it."""
    assert folder.is_dir()
    for name in ALL:
        spec = processes(plan())[name]
        (need,) = spec.ports
        assert f"web.listen-address=127.0.0.1:{need.port}" in " ".join(spec.command)
        assert need.setting.startswith("GX_STACK_")


def test_secrets_are_in_the_environment_of_the_one_that_needs_them(folder: Path) -> None:
    """Command lines can be read by every user of a machine."""
    specs = processes(plan())
    password = (folder / "valkey" / "password").read_text().strip()

    for secret, owner in (("pw-of-the-test", "postgres-exporter"), (password, "redis-exporter")):
        assert all(secret not in str(spec.command) for spec in specs.values())
        assert {name for name in ALL if secret in str(specs[name].environment)} == {owner}


def test_the_named_database_is_the_exporters_too(folder: Path) -> None:
    """It watches what the processes use, and asks what ours does not know itself."""
    spec = processes(plan())["postgres-exporter"]

    assert spec.environment is not None
    assert spec.environment["DATA_SOURCE_NAME"] == f"{DSN}?sslmode=require"
    queries = yaml.safe_load((folder / "monitoring" / "postgres-queries.yml").read_text())
    assert set(queries) == {"pg_replication"}


@pytest.mark.parametrize(
    ("dsn", "same"),
    [
        ("postgresql://gx:p%40w@/gx?host=%2Frun&port=5", "&sslmode=disable"),
        ("postgresql://gx@localhost:5/gx", "?sslmode=disable"),
        ("postgresql://gx@db.example/gx", "?sslmode=require"),
        ("postgresql://gx@db.example/gx?sslmode=disable", ""),
        ("postgresql://gx@db.example/gx?sslmode=verify-full", ""),
    ],
)
def test_the_exporter_connects_as_we_do(dsn: str, same: str) -> None:
    """Its driver demands TLS unless told otherwise."""
    assert exporter_dsn(dsn) == dsn + same


def test_a_mode_that_the_exporters_driver_does_not_know_is_replaced() -> None:
    """`prefer` tries TLS first, and so does `require`."""
    dsn = "postgresql://gx@db.example/gx?sslmode="

    assert exporter_dsn(dsn + "prefer") == dsn + "require"


def test_prometheus_waits_for_what_it_probes(folder: Path) -> None:
    """Else every start would count as an outage, and burn the error budget."""
    assert folder.is_dir()
    assert processes(plan())["prometheus"].after == (API, SUBMITTER, PROJECTOR)
