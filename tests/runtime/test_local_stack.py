"""The plan of the local stack: the processes of production, each with what it needs."""

from pathlib import Path

import pytest

from gx.runtime.local_stack import LocalStackOptions, Plan, Planner
from gx.runtime.process import ProcessSpec
from gx.runtime.tools import Toolbox

DSN = "postgresql://gx:pw-of-the-test@db.example/gx"


@pytest.fixture
def plan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Plan:
    """The plan on somebody else's database, without Valkey and monitoring programs."""
    monkeypatch.setenv("DATABASE_URL", DSN)
    monkeypatch.setenv("GX_API_REDIS_URL", "redis://:secret@cache.example/0")
    monkeypatch.setenv("GX_DATA_DIR", str(tmp_path))
    options = LocalStackOptions(with_redis=False, with_monitoring=True)
    return Planner(options=options, toolbox=Toolbox(advice="install prometheus")).plan()


def processes(plan: Plan) -> dict[str, ProcessSpec]:
    """Return the processes by name."""
    return {item.name: item for item in plan.items if isinstance(item, ProcessSpec)}


def test_a_named_database_is_used_instead_of_an_own_one(plan: Plan) -> None:
    """With DATABASE_URL no server is started."""
    assert processes(plan).keys() == {
        "ledger",
        "outbox-submitter",
        "projector",
        "api",
        "console",
    }


def test_each_process_gets_the_secrets_that_it_needs_and_no_others(plan: Plan) -> None:
    """The ledger has no business with the database, nor anybody without Valkey with its address."""
    secrets = {
        name: "pw-of-the-test" in str(spec.environment) for name, spec in processes(plan).items()
    }

    assert secrets == {
        "ledger": False,
        "outbox-submitter": True,
        "projector": True,
        "api": True,
        "console": False,
    }
    assert all("cache.example" not in str(spec.environment) for spec in processes(plan).values())


def test_workers_wait_for_the_schema_and_the_ledger(plan: Plan) -> None:
    """Nobody meets half a schema; the API does not wait for the ledger."""
    after = {name: spec.after for name, spec in processes(plan).items()}

    assert after == {
        "ledger": (),
        "outbox-submitter": ("migrations", "ledger"),
        "projector": ("migrations", "ledger"),
        "api": ("migrations",),
        "console": (),
    }


def test_what_is_missing_is_said_and_the_rest_runs(plan: Plan) -> None:
    """Without Prometheus the stack starts and passes the advice on; no dead address is shown."""
    assert plan.notices == ["install prometheus"]
    assert not any("Prometheus" in name for name in plan.urls)


def test_every_port_names_the_setting_that_moves_it(plan: Plan) -> None:
    """Each need says which variable changes it, and each port is asked for once."""
    needs = [need for spec in processes(plan).values() for need in spec.ports]

    assert all(need.setting.startswith("GX_") for need in needs)
    assert len({need.port for need in needs}) == len(needs) == 6


def test_the_console_is_told_where_everything_is(plan: Plan) -> None:
    """It gets the addresses of this very stack, and the stack's table has its own."""
    variables = processes(plan)["console"].environment or {}

    assert variables["GX_CONSOLE_API_URL"] == "http://127.0.0.1:8000"
    assert variables["GX_CONSOLE_PROMETHEUS_URL"] == "http://127.0.0.1:30090"
    assert plan.urls["console"] == "http://127.0.0.1:30300"


def test_alerts_link_to_the_console_wherever_it_listens(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Runbooks and dashboards open on another port too; an address that somebody named stays."""
    monkeypatch.setenv("DATABASE_URL", DSN)
    monkeypatch.setenv("GX_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("GX_CONSOLE_PORT", "31300")
    monkeypatch.setenv("GX_DASHBOARD_BASE_URL", "https://grafana.example/d")
    options = LocalStackOptions(with_redis=False, with_monitoring=True)
    Planner(options=options, toolbox=Toolbox()).plan()

    rules = (tmp_path / "monitoring" / "rules.yml").read_text(encoding="utf-8")
    assert "runbook_url: http://127.0.0.1:31300/runbooks/OutboxQueueCritical" in rules
    assert "dashboard: https://grafana.example/d/07-cqrs-backend-monitoring" in rules
