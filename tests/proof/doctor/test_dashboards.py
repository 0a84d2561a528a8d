"""Dashboards whose panels ask a datasource or for values that are not there."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Final

import pytest
from typing_extensions import override

from gx.proof.causes import Cause
from gx.proof.doctor.dashboards import read_dashboards
from gx.proof.doctor.examine import Diagnosis, Sources, examine
from gx.proof.grafana import Grafana
from gx.proof.reachability.inventory import ManifestError

ROOT: Final = Path(__file__).parents[3]
COMMITTED: Final = ROOT / "k8s" / "monitoring" / "grafana" / "dashboards"
VARIABLE: Final = {"name": "source", "type": "datasource", "query": "prometheus"}


def dashboard(datasource: object, *variables: object) -> dict[str, object]:
    """A dashboard with one panel, in a collapsed row, that asks a datasource."""
    panel = {"title": "Up", "datasource": datasource, "targets": [{"expr": "up"}]}
    rows = [{"type": "row", "title": "Row", "panels": [panel]}]
    return {"uid": "one", "title": "One", "panels": rows, "templating": {"list": list(variables)}}


@contextmanager
def grafana_with(stored: object, datasources: object) -> Iterator[str]:
    """Answer as a Grafana with one dashboard and these datasources would."""
    answers = {
        "/api/search": [{"uid": "one", "type": "dash-db"}],
        "/api/dashboards/uid/one": {"dashboard": stored, "meta": {}},
        "/api/datasources": datasources,
    }

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answer = answers.get(self.path.partition("?")[0])
            body = json.dumps(answer).encode()
            self.send_response(404 if answer is None else 200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        @override
        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def examined(stored: object, *datasources: object) -> Diagnosis:
    """What the doctor says of a Grafana with a dashboard."""
    with grafana_with(stored, list(datasources)) as url:
        return examine(Sources(grafana=Grafana(url)))


PROMETHEUS: Final = {"uid": "abc", "type": "prometheus", "name": "Main"}
LOKI: Final = {"uid": "logs", "type": "loki", "name": "Logs"}


@pytest.mark.parametrize(
    ("stored", "datasource", "told"),
    [
        (dashboard({"uid": "xyz"}), PROMETHEUS, "no such datasource"),
        (dashboard("Old name"), PROMETHEUS, "no such datasource"),
        (dashboard({"uid": "${source}"}), PROMETHEUS, "no variable source"),
        (dashboard({"uid": "${source}"}, VARIABLE), LOKI, "no datasource of the type prometheus"),
    ],
)
def test_a_datasource_that_grafana_lacks_is_named(
    stored: object, datasource: object, told: str
) -> None:
    """By uid, by an old dashboard's name, or through a variable: the panel that asks it is told."""
    (found,) = examined(stored, datasource).faults

    assert found.cause is Cause.DATASOURCE
    assert told in found.what
    assert found.evidence[0] == "asked by Up"


@pytest.mark.parametrize(
    "stored",
    [
        dashboard({"uid": "abc"}),
        dashboard("Main"),
        dashboard({"uid": "-- Grafana --"}),
        dashboard(None),
        dashboard({"uid": "${source}"}, VARIABLE),
    ],
)
def test_a_datasource_that_is_there_is_no_fault(stored: object) -> None:
    """Known by uid or name, Grafana's own, the default, or chosen by a variable of its type."""
    assert not examined(stored, PROMETHEUS).findings


def test_the_committed_dashboards_are_in_order() -> None:
    """Each of them is read, and asks the datasource that its variable chooses."""
    read = tuple(read_dashboards(str(COMMITTED)))

    assert len(read) == len(list(COMMITTED.glob("*.json")))
    assert not examine(Sources(dashboards=read)).findings


@pytest.mark.parametrize("text", ["no JSON", '{"panels": 3}'])
def test_what_is_no_dashboard_is_refused(tmp_path: Path, text: str) -> None:
    """With the file that is wrong, rather than a clean bill of health."""
    file = tmp_path / "one.json"
    file.write_text(text)

    with pytest.raises(ManifestError, match=r"one\.json: not read as a dashboard"):
        read_dashboards(str(file))
