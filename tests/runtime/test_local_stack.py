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
    assert processes(plan).keys() == {"ledger", "outbox-submitter", "projector", "api"}


def test_each_process_gets_the_secrets_that_it_needs_and_no_others(plan: Plan) -> None:
    """The ledger has no business with the database, nor anybody without Valkey with its address."""
    secrets = {
        name: "pw-of-the-test" in str(spec.environment) for name, spec in processes(plan).items()
    }

    assert secrets == {"ledger": False, "outbox-submitter": True, "projector": True, "api": True}
    assert all("cache.example" not in str(spec.environment) for spec in processes(plan).values())


def test_workers_wait_for_the_schema_and_the_ledger(plan: Plan) -> None:
    """Nobody meets half a schema; the API does not wait for the ledger."""
    after = {name: spec.after for name, spec in processes(plan).items()}

    assert after == {
        "ledger": (),
        "outbox-submitter": ("migrations", "ledger"),
        "projector": ("migrations", "ledger"),
        "api": ("migrations",),
    }


def test_what_is_missing_is_said_and_the_rest_runs(plan: Plan) -> None:
    """Without Prometheus the stack starts and passes the advice on; no dead address is shown."""
    assert plan.notices == ["install prometheus"]
    assert not any("Prometheus" in name for name in plan.urls)


def test_every_port_names_the_setting_that_moves_it(plan: Plan) -> None:
    """Each need says which variable changes it, and each port is asked for once."""
    needs = [need for spec in processes(plan).values() for need in spec.ports]

    assert all(need.setting.startswith("GX_") for need in needs)
    assert len({need.port for need in needs}) == len(needs) == 5
