"""`gx status`, `gx logs` and what `gx up` shows, on a stack's files without the stack."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import msgspec
import psutil
import pytest

from gx.cli.starting import UpObserver, demo_ending
from gx.runtime.clock import SystemClock
from gx.runtime.local_stack import Plan
from gx.runtime.process import ItemState, ItemStatus
from gx.runtime.stack import API_URL, StackFolder, build_state
from tests.cli.conftest import gx

URLS = {API_URL: "http://127.0.0.1:8000/api/v1", "Prometheus targets": "http://127.0.0.1:30090/t"}


def an_item(name: str) -> ItemStatus:
    """A process of a stack that is ready: this very process, so that it is alive."""
    return ItemStatus(
        name=name,
        state=ItemState.READY,
        since_ms=0,
        pid=os.getpid(),
        pid_created_at_s=psutil.Process().create_time(),
        ports=(8_000,),
    )


@pytest.fixture
def folder(tmp_path: Path) -> StackFolder:
    """The folder that GX_DATA_DIR names in these tests."""
    return StackFolder(tmp_path / "var")


@pytest.fixture
def running(folder: StackFolder) -> Iterator[StackFolder]:
    """A folder that some supervisor holds."""
    with folder.lock():
        write(folder, [an_item("api"), an_item("projector")])
        yield folder


def write(folder: StackFolder, items: list[ItemStatus]) -> None:
    """Write what runs."""
    folder.write(build_state(started_at_ms=0, urls=URLS, items=items))


@pytest.mark.usefixtures("running")
def test_status_shows_processes_and_addresses() -> None:
    """A stack whose processes are all ready is no failure."""
    plain, as_json = gx("status"), gx("status", "--json")

    assert plain.code == as_json.code == 0
    assert all(text in plain.out for text in ("api", "projector", "ready", "30090/t"))
    assert as_json.json["urls"] == URLS


def test_status_of_a_broken_stack_exits_with_1(running: StackFolder) -> None:
    """What is not ready is named; what is optional does not count."""
    write(
        running,
        [
            an_item("api"),
            ItemStatus(name="projector", state=ItemState.BACKOFF, since_ms=0, detail="ended"),
            ItemStatus(name="blackbox", state=ItemState.BACKOFF, since_ms=0, is_optional=True),
        ],
    )

    done = gx("status")

    assert done.code == 1
    assert "not ready: projector" in done.err
    assert "ended" in done.out


def test_a_process_that_does_not_answer_is_told_with_how_long(running: StackFolder) -> None:
    """It runs, so only its silence shows; the reason and the time stand in the table."""
    hung = msgspec.structs.replace(
        an_item("api"),
        state=ItemState.UNREADY,
        since_ms=SystemClock().now_ms() - 12_000,
        detail="does not answer",
    )
    write(running, [hung, an_item("projector")])

    done = gx("status")

    assert done.code == 1
    assert "does not answer, for 12 s" in done.out
    assert "not ready: api" in done.err


@pytest.mark.usefixtures("running")
def test_a_stack_on_a_named_database_asks_for_its_name_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The address holds a password, so no file of the stack repeats it."""
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.delenv("GX_DATABASE_DSN", raising=False)

    done = gx("projection", "status")

    assert done.code == 2
    assert "set DATABASE_URL to the same here" in done.err


def test_the_api_of_the_running_stack_is_found(running: StackFolder) -> None:
    """Without --url and GX_URL a subcommand asks the stack's own API."""
    running.write(
        build_state(started_at_ms=0, urls={API_URL: "http://127.0.0.1:1/api/v1"}, items=[])
    )

    done = gx("supply")

    assert done.code == 3
    assert "http://127.0.0.1:1 did not answer" in done.err


def test_logs_show_the_last_lines_of_one_or_all(folder: StackFolder) -> None:
    """With several processes each line bears its process's name."""
    folder.log_folder.mkdir(parents=True)
    for name in ("api", "projector"):
        folder.log_path(name).write_text(f"{name} one\n{name} two\n", encoding="utf-8")

    one, both = gx("logs", "api", "-n", "1"), gx("logs")

    assert one.out == "api two\n"
    assert "projector        | projector one" in both.out
    assert "api              | api two" in both.out


def test_following_logs_ends_with_the_stack(folder: StackFolder) -> None:
    """`-f` on a stack that does not run shows what there is and returns."""
    folder.log_folder.mkdir(parents=True)
    folder.log_path("api").write_text("api one\n", encoding="utf-8")

    assert gx("logs", "api", "-f").out == "api one\n"


def test_a_log_that_is_not_there_names_those_that_are(folder: StackFolder) -> None:
    """A typing mistake is a usage failure."""
    folder.log_folder.mkdir(parents=True)
    folder.log_path("api").write_text("", encoding="utf-8")

    done = gx("logs", "apy")

    assert done.code == 2
    assert "there are api" in done.err


def test_another_folder_can_be_named(tmp_path: Path) -> None:
    """--data-dir stands for GX_DATA_DIR."""
    done = gx("status", "--data-dir", str(tmp_path / "elsewhere"))

    assert done.code == 3
    assert "elsewhere" in done.err


def test_starting_tells_what_becomes_ready_and_what_crashes(
    folder: StackFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    """A line for each process that is ready or ended, with the reason."""
    observer = UpObserver(folder, with_demo=False)
    observer.announce(Plan(items=(), urls=URLS, notices=("Prometheus is missing",)))
    observer.item_changed(ItemStatus(name="api", state=ItemState.STARTING, since_ms=0))
    observer.item_changed(ItemStatus(name="api", state=ItemState.READY, since_ms=0))
    observer.item_changed(
        ItemStatus(name="api", state=ItemState.BACKOFF, since_ms=0, detail="exited with 1")
    )

    told = capsys.readouterr().err

    assert "Note: Prometheus is missing" in told
    assert "api              ready" in told
    assert "api              ended: exited with 1" in told
    assert "api              starting" not in told


def test_a_stack_that_runs_tells_addresses_a_token_and_what_to_type(
    folder: StackFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    """Everything that a newcomer needs is on the screen."""
    observer = UpObserver(folder, with_demo=False)
    observer.announce(Plan(items=(), urls=URLS, notices=()))
    capsys.readouterr()

    observer.stack_ready(7.25)

    told = capsys.readouterr()
    assert "7.2 s" in told.err
    assert all(url in told.out for url in URLS.values())
    assert "gx user create alice" in told.out
    assert told.out.count("eyJ") >= 1


def test_prometheus_is_asked_where_the_stack_s_own_listens(running: StackFolder) -> None:
    """Another port than the default is found in the stack's state."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    write(
        running,
        [ItemStatus(name="prometheus", state=ItemState.READY, since_ms=0, ports=(port,))],
    )

    done = gx("monitoring", "metrics", "--live")

    assert done.code == 1
    assert f"no answer from Prometheus at http://127.0.0.1:{port}" in done.err


def test_the_catalogue_of_metrics_needs_no_prometheus() -> None:
    """Without --live the declared metrics are listed."""
    plain, as_json = gx("monitoring", "metrics"), gx("monitoring", "metrics", "--json")

    assert "http_requests_total" in plain.out
    metrics = as_json.json["metrics"]
    assert isinstance(metrics, list)
    assert len(metrics) > 40


def test_what_the_demo_found_is_told_in_a_line() -> None:
    """It runs beside the stack's own words: `gx load` is where one reads on."""
    assert demo_ending([]) == "all took effect, and the books balance"
    told = demo_ending(["x" * 500 + "\nmore", "second", "third"])
    assert len(told) < 220
    assert "\n" not in told
    assert told.endswith("(and 2 more: try `gx load`)")


@pytest.mark.usefixtures("running")
def test_restarting_what_does_not_run_says_what_does() -> None:
    """A name that no process has is a failure with the names that there are."""
    answer = gx("restart", "submitter")

    assert answer.code == 1
    assert "no process submitter runs; there are: api, projector" in answer.err
