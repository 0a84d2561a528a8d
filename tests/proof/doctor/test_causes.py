"""Each cause made for real: one Prometheus asks targets that misbehave, and the doctor looks."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass

import msgspec
import pytest
import yaml

from gx.monitoring.recording import EXPECTED_TARGET
from gx.proof.causes import Cause, Finding
from gx.proof.doctor.dashboards import DashboardModel, PlacedDashboard, examine_variables
from gx.proof.doctor.examine import Diagnosis, Sources, examine
from gx.proof.prometheus import Prometheus
from gx.runtime.tools import Program, Tool
from tests.ports import free_port
from tests.proof.doctor.misbehaving import (
    HOST,
    hanging,
    resetting,
    running_prometheus,
    serving,
)

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

WITHIN_S = 60.0
PAUSE_S = 2.0
EXPECTED_LABELS = {"job": "forgotten", "namespace": "backend-lab", "service": "projector"}
# TCP has no way to a multicast group: the kernel says so itself, on every host.
UNROUTED = "224.0.0.1:9"
RULES = {
    "groups": [
        {
            "name": "lab",
            "interval": "1s",
            "rules": [
                {"alert": "AlwaysThere", "expr": "vector(1)"},
                {"record": EXPECTED_TARGET.name, "expr": "vector(1)", "labels": EXPECTED_LABELS},
                {
                    "record": "lab:many_to_many",
                    "expr": 'lab_left * on (job) group_left () {__name__=~"lab_right"}',
                },
            ],
        }
    ]
}


@dataclass(frozen=True)
class Lab:
    """A Prometheus among misbehaving targets, and an address that nobody scrapes."""

    url: str
    unscraped: str


def job(name: str, address: str, path: str = "/good", **more: object) -> dict[str, object]:
    """Describe a scrape job with one target."""
    targets = [{"targets": [address]}]
    return {"job_name": name, "metrics_path": path, "static_configs": targets, **more}


def jobs(port: int, hanging_port: int, resetting_port: int) -> list[dict[str, object]]:
    """Describe a job for each way to misbehave."""
    here = f"{HOST}:{port}"
    keep_nothing = {"source_labels": ["__name__"], "regex": "gx_.+", "action": "keep"}
    keep_backend = {"source_labels": ["tier"], "regex": "backend", "action": "keep"}
    lost = {"targets": [here], "labels": {"tier": "backnd"}}
    return [
        job("closed", f"{HOST}:{free_port()}"),
        job("hanging", f"{HOST}:{hanging_port}"),
        job("resetting", f"{HOST}:{resetting_port}"),
        job("unresolved", "nobody..invalid:80"),
        job("unrouted", UNROUTED),
        job("tls", here, scheme="https"),
        job("path", here, "/wrong"),
        job("authentication", here, "/secret"),
        job("failing", here, "/broken"),
        job("page", here, "/page"),
        job("bad", here, "/bad"),
        job("slow", here, "/slow"),
        job("many", here, "/many", sample_limit=10),
        job("filtered", here, metric_relabel_configs=[keep_nothing]),
        job("nothing", here, "/nothing"),
        job("old", here, "/old"),
        job("fading", here, "/fading"),
        job("good", here),
        {"job_name": "dropped", "static_configs": [lost], "relabel_configs": [keep_backend]},
        {"job_name": "empty", "static_configs": []},
    ]


@pytest.fixture(scope="module")
def lab(tools: dict[Program, Tool], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """Run the laboratory once for all tests of this module."""
    folder = tmp_path_factory.mktemp("lab")
    with ExitStack() as stack:
        port, other = stack.enter_context(serving()), stack.enter_context(serving())
        hung, reset = stack.enter_context(hanging()), stack.enter_context(resetting())
        nobody = {"static_configs": [{"targets": [f"{HOST}:{free_port()}"]}]}
        document = {
            "global": {
                "scrape_interval": "1s",
                "scrape_timeout": "1s",
                "evaluation_interval": "1s",
            },
            "rule_files": ["rules.yml"],
            "alerting": {"alertmanagers": [nobody]},
            "scrape_configs": jobs(port, hung, reset),
        }
        (folder / "rules.yml").write_text(yaml.safe_dump(RULES))
        (folder / "prometheus.yml").write_text(yaml.safe_dump(document))
        url = stack.enter_context(
            running_prometheus(tools[Program.PROMETHEUS], folder / "prometheus.yml", folder)
        )
        yield Lab(url, f"http://{HOST}:{other}/metrics")


EXPECTED = {
    ("closed", Cause.PROCESS_DOWN),
    ("hanging", Cause.NO_ANSWER),
    ("resetting", Cause.CONNECTION_RESET),
    ("unresolved", Cause.DNS),
    ("unrouted", Cause.NO_ROUTE),
    ("tls", Cause.TLS),
    ("path", Cause.PATH),
    ("authentication", Cause.AUTHENTICATION),
    ("failing", Cause.SERVER_ERROR),
    ("page", Cause.NOT_METRICS),
    ("bad", Cause.BAD_EXPOSITION),
    ("slow", Cause.SLOW_HANDLER),
    ("many", Cause.SAMPLE_LIMIT),
    ("filtered", Cause.FILTER_KEEPS_NOTHING),
    ("nothing", Cause.EXPORTS_NOTHING),
    ("old", Cause.OLD_TIMESTAMPS),
    ("dropped", Cause.DISCOVERY_DROPPED),
    ("empty", Cause.DISCOVERY_EMPTY),
    ("forgotten", Cause.NO_SUCH_JOB),
    ("lab", Cause.RULE_ERROR),
    ("Prometheus' rules", Cause.RULE_MISSING),
}


def found_in(diagnosis: Diagnosis) -> dict[tuple[str, Cause], Finding]:
    """Return the findings by the job or group that they are about, and their cause."""
    return {(each.where.partition(":")[0], each.cause): each for each in diagnosis.findings}


def until_found(
    sources: Sources, wanted: set[tuple[str, Cause]]
) -> dict[tuple[str, Cause], Finding]:
    """Look again until every fault is there: each needs a scrape or two."""
    pause, found = threading.Event(), found_in(examine(sources))
    for _ in range(round(WITHIN_S / PAUSE_S)):
        if wanted <= found.keys():
            return found
        pause.wait(PAUSE_S)
        found = found_in(examine(sources))
    pytest.fail(f"not found: {sorted(wanted - found.keys())}; found: {sorted(found)}")


def test_each_fault_of_a_target_has_its_own_cause(lab: Lab) -> None:
    """Twenty-one faults at once, and none is taken for another; what is well is not accused."""
    found = until_found(Sources(prometheus_url=lab.url), EXPECTED)
    about_targets = {key for key in found if key[0] in {name for name, _ in EXPECTED}}

    assert about_targets == EXPECTED
    assert not any(where == "good" for where, _ in found)
    assert found["path", Cause.PATH].fix == "metrics_path: /metrics"
    assert found["tls", Cause.TLS].fix == "scheme: http"
    dropped = found["dropped", Cause.DISCOVERY_DROPPED]
    assert "relabel_configs[0]: keep where tier matches 'backend'" in dropped.what
    assert "tier is 'backnd'" in dropped.evidence[0]
    assert "/metrics of the same address" in found["page", Cause.NOT_METRICS].evidence[1]


def test_a_process_that_answers_elsewhere_is_a_wrong_port(lab: Lab) -> None:
    """With the address of a process that nobody scrapes, a refused scrape has its reason."""
    sources = Sources(prometheus_url=lab.url, processes=(lab.unscraped,))
    found = until_found(sources, {("closed", Cause.WRONG_PORT)})

    assert lab.unscraped.split("/")[2] in found["closed", Cause.WRONG_PORT].fix


def test_an_alertmanager_that_is_not_there_is_named() -> None:
    """Asked at an address where nobody listens, the doctor says so rather than nothing."""
    faults = examine(Sources(alertmanager_url=f"http://{HOST}:{free_port()}")).faults

    assert [each.cause for each in faults] == [Cause.ALERTMANAGER_UNREACHABLE]


def until_explained(lab: Lab, query: str, is_it: Callable[[Finding], bool]) -> tuple[Finding, ...]:
    """Ask again until the explanation is what is awaited; return the last one, whatever it is."""
    sources, pause = Sources(prometheus_url=lab.url, query=query), threading.Event()
    findings = examine(sources).findings
    for _ in range(round(WITHIN_S / PAUSE_S)):
        if findings and is_it(findings[0]):
            break
        pause.wait(PAUSE_S)
        findings = examine(sources).findings
    return findings


@pytest.mark.parametrize(
    ("query", "cause", "told"),
    [
        ("sum(lab_comands_total)", Cause.METRIC_RENAMED, "lab_commands_total"),
        (
            'sum(rate(lab_commands_total{job="good",result="success"}[1m]))',
            Cause.LABEL_DRIFT,
            "result of lab_commands_total",
        ),
        ("lab_left / on (zone) max by (zone) (lab_right)", Cause.VECTOR_MATCH, "'zone': 'b'"),
        ("lab_fading", Cause.STALE, "lab_fading[1h]"),
        ("rate(lab_commands_total[1s])", Cause.WINDOW_TOO_SHORT, ""),
        ("sum(lab_left", Cause.QUERY_REFUSED, "parse error"),
    ],
)
def test_an_empty_query_is_explained(lab: Lab, query: str, cause: Cause, told: str) -> None:
    """The part that empties it is named, with what is there instead."""
    until_found(Sources(prometheus_url=lab.url), {("closed", Cause.PROCESS_DOWN)})
    findings = until_explained(lab, query, lambda found: found.cause is cause)

    assert [each.cause for each in findings] == [cause]
    assert told in " ".join(findings[0].evidence)
    assert not findings[0].is_healthy


@pytest.mark.parametrize(
    "query",
    [
        "rate(lab_commands_total[1m]) / rate(lab_commands_total[1m])",
        "rate(lab_commands_total[1m]) > 0",
        "(lab_left == 1) and on (zone) (lab_right == 1)",
    ],
)
def test_a_system_without_traffic_is_idle_and_healthy(lab: Lab, query: str) -> None:
    """A ratio of nothing to nothing is no fault, nor are filters that share no sample."""
    findings = until_explained(
        lab, query, lambda found: found.cause is Cause.IDLE and "two scrapes" not in found.what
    )

    assert [each.cause for each in findings] == [Cause.IDLE]
    assert findings[0].is_healthy


def test_what_cannot_be_asked_is_said(lab: Lab) -> None:
    """An address where nobody is, and one where something else is, are no clean bill of health."""
    for url in (f"http://{HOST}:{free_port()}", lab.unscraped):
        diagnosis = examine(Sources(prometheus_url=url))

        assert diagnosis.unasked
        assert url.rpartition("/")[0] in json.dumps(diagnosis.unasked)


def placed(variable: dict[str, object]) -> PlacedDashboard:
    """A dashboard whose one panel matches the label zone with a variable."""
    document = {
        "templating": {"list": [{"name": "zone", **variable}]},
        "panels": [{"title": "Left", "targets": [{"expr": 'lab_left{zone=~"$zone"}'}]}],
    }
    return PlacedDashboard("one.json", msgspec.convert(document, DashboardModel))


def said_of(lab: Lab, variable: dict[str, object]) -> list[Finding]:
    """What is found on a variable as soon as Prometheus has the series."""
    pause = threading.Event()
    for _ in range(round(WITHIN_S / PAUSE_S)):
        with Prometheus(lab.url) as prometheus:
            if prometheus.ask("lab_left"):
                return list(examine_variables(placed(variable), prometheus))
        pause.wait(PAUSE_S)
    pytest.fail("lab_left is not there")


@pytest.mark.parametrize(
    ("variable", "told"),
    [
        ({"type": "custom", "query": "east, west"}, "none of its values is one of the label zone"),
        ({"type": "query", "query": "label_values(lab_left, side)"}, "none of its values"),
        ({"type": "query", "query": {"query": "label_values(lab_left, zon)"}}, "it has no value"),
        ({"type": "query", "query": "label_values(lab_left{, zone)"}, "does not evaluate"),
        ({"name": "zones", "type": "custom", "query": "a"}, "no such variable"),
    ],
)
def test_a_variable_that_selects_nothing_is_named(
    lab: Lab, variable: dict[str, object], told: str
) -> None:
    """Its values are compared with those of the label that the panels match it with."""
    (found,) = said_of(lab, variable)

    assert (found.cause, found.where) == (Cause.NAMESPACE_VARIABLE, "one.json: $zone")
    assert told in found.what
    assert found.evidence[-1] == "matched with zone by Left"


@pytest.mark.parametrize(
    "variable",
    [
        {"type": "custom", "query": "West : b, a"},
        {"type": "query", "query": "label_values(lab_left, zone)"},
        {"type": "query", "query": "label_values(zone)"},
        {
            "type": "query",
            "query": "label_values(lab_none, zone)",
            "includeAll": True,
            "allValue": ".+",
        },
        {"type": "adhoc"},
    ],
)
def test_a_variable_that_selects_something_is_no_fault(
    lab: Lab, variable: dict[str, object]
) -> None:
    """Nor is one that has a pattern for all, or of a kind whose values nobody can tell."""
    assert not said_of(lab, variable)
