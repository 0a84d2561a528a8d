"""Addresses of processes that are asked without any Prometheus: each fault made for real."""

from collections.abc import Iterator

import pytest
from typer.testing import CliRunner

from gx.cli.main import app
from gx.proof.causes import Cause
from gx.proof.doctor.examine import Sources, examine
from tests.ports import free_port
from tests.proof.doctor.misbehaving import HOST, hanging, serving


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    """Serve every answer once for all tests of this module."""
    with serving() as found:
        yield found


@pytest.mark.parametrize(
    ("scheme", "path", "cause"),
    [
        ("http", "/wrong", Cause.PATH),
        ("http", "/secret", Cause.AUTHENTICATION),
        ("http", "/page", Cause.PATH),
        ("http", "/broken", Cause.SERVER_ERROR),
        ("http", "/nothing", Cause.EXPORTS_NOTHING),
        ("https", "/good", Cause.TLS),
    ],
)
def test_a_process_that_misbehaves_has_its_cause(
    port: int, scheme: str, path: str, cause: Cause
) -> None:
    """Where a page is there instead, and the usual path has the metrics, that is what is said."""
    (found,) = examine(Sources(processes=(f"{scheme}://{HOST}:{port}{path}",))).faults

    assert found.cause is cause
    assert found.evidence
    assert found.fix


def test_a_process_that_is_down_or_hangs_is_named() -> None:
    """Nobody listens, or somebody does and says nothing."""
    with hanging() as port:
        down, hung = f"http://{HOST}:{free_port()}/metrics", f"http://{HOST}:{port}/metrics"
        faults = examine(Sources(processes=(down, hung))).faults

    assert {each.where: each.cause for each in faults} == {
        down: Cause.PROCESS_DOWN,
        hung: Cause.NO_ANSWER,
    }


def test_a_process_with_metrics_has_no_fault_and_a_lost_one_ends_with_1(port: int) -> None:
    """The command says so without a Prometheus."""
    good = CliRunner().invoke(app, ["doctor", "--process", f"http://{HOST}:{port}/good"])
    lost = f"http://{HOST}:{free_port()}/metrics"
    bad = CliRunner().invoke(app, ["doctor", "--process", lost])

    assert good.exit_code == 0, good.output
    assert bad.exit_code == 1
    assert f"FAULT  process-down  {lost}" in bad.stdout


def test_what_answers_and_is_no_alertmanager_is_said_so(port: int) -> None:
    """Starting it would not help: the address is somebody else's."""
    (found,) = examine(Sources(alertmanager_url=f"http://{HOST}:{port}")).faults

    assert found.what == "it answers, but is no Alertmanager"


def test_a_prometheus_that_was_not_asked_has_no_count_of_faults() -> None:
    """Nothing is known, which is not the same as no fault."""
    url = f"http://{HOST}:{free_port()}"
    done = CliRunner().invoke(app, ["doctor", "--prometheus", url])

    assert done.exit_code == 3
    assert "0 faults" not in done.stdout
    assert "nothing is known" in done.stdout
