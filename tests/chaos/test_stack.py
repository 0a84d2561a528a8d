"""The staged stack: the plan of `gx up`, led through proxies, with standbys beside it."""

from pathlib import Path

from gx.ledger.kinds import LedgerKind
from gx.runtime.ports import PortNeed
from gx.runtime.process import ProcessSpec, StepSpec
from gx.runtime.readiness import HttpReady
from tests.chaos.clocks import Clocks
from tests.chaos.stack import DSN, Staging, Standby, Way, by_port, led, staged

SOCKET_DSN = "postgresql://gx:se%2Fcret@/gx?host=%2Ftmp%2Fx&port=15432"


async def _nothing() -> None: ...


def a_worker() -> ProcessSpec:
    """The projector, as the plan has it."""
    return ProcessSpec(
        name="projector",
        command=("/python", "-m", "gx.cli.main", "projection", "run"),
        environment={DSN: SOCKET_DSN, "GX_LOG_LEVEL": "INFO"},
        readiness=HttpReady(url="http://127.0.0.1:1/readyz"),
        ports=(PortNeed(port=1, setting="GX_PROJECTOR_METRICS_PORT"),),
        after=("ledger",),
    )


def test_a_socket_s_address_leads_to_a_port_with_the_same_password() -> None:
    """Who connects is who connected before; only the way is another."""
    assert by_port(SOCKET_DSN, 7) == "postgresql://gx:se%2Fcret@127.0.0.1:7/gx"


def test_a_process_without_a_way_is_as_the_plan_has_it() -> None:
    """What a staging does not name is not changed."""
    assert led(a_worker(), Way()) == a_worker()


def test_a_way_changes_the_database_s_address_the_clock_and_nothing_else() -> None:
    """The subcommand and its other settings stay."""
    way = Way(database_port=7, clock_file="/clock", prefix=("/usr/bin/env", "A=1"))

    changed = led(a_worker(), way)

    assert changed.environment == {
        DSN: "postgresql://gx:se%2Fcret@127.0.0.1:7/gx",
        "GX_LOG_LEVEL": "INFO",
    }
    assert changed.command == (
        *("/usr/bin/env", "A=1", "/python"),
        *("-m", "tests.chaos.skewed", "/clock", "projection", "run"),
    )
    assert changed.after == ("ledger",)


def test_a_standby_stands_beside_its_worker_with_a_port_and_a_version_of_its_own() -> None:
    """Another release is other code on Python's path."""
    standby = Standby(
        name="projector-b",
        beside="projector",
        port_setting="GX_PROJECTOR_METRICS_PORT",
        port=9,
        environment={"PYTHONPATH": "/older"},
    )
    step = StepSpec(name="migrations", action=_nothing)

    items = list(staged([step, a_worker()], Staging(ledger=LedgerKind.LOCAL, standbys=(standby,))))

    assert items[:2] == [step, a_worker()]
    beside = items[2]
    assert isinstance(beside, ProcessSpec)
    assert beside.name == "projector-b"
    assert beside.command == a_worker().command
    assert [need.port for need in beside.ports] == [9]
    assert beside.environment is not None
    assert beside.environment["GX_PROJECTOR_METRICS_PORT"] == "9"
    assert beside.environment["PYTHONPATH"] == "/older"


def test_clocks_are_moved_for_a_worker_and_its_standby_alone(tmp_path: Path) -> None:
    """Jumps add up, so that whoever mends one leaves the others."""
    clocks = Clocks(tmp_path / "clocks")
    files = {name: clocks.file(name) for name in ("projector", "projector-b", "api")}

    clocks.move("projector", 60)
    clocks.move("projector", -20)

    assert {name: float(file.read_text()) for name, file in files.items()} == {
        "projector": 40,
        "projector-b": 40,
        "api": 0,
    }
    assert not clocks.is_movable("postgres")
