"""Alerts are held against what should have fired, as a Prometheus tells of them."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest
from typing_extensions import override

from tests.chaos.alerts import judge_alerts
from tests.chaos.findings import Finding, Rule, named
from tests.chaos.notes import AlertNotes, ExpectedAlert


@contextmanager
def a_prometheus(fired: dict[str, list[float]]) -> Iterator[str]:
    """Answer every question with these alerts and the times at which they were firing."""
    series = [
        {"metric": {"alertname": name}, "values": [[at_s, "1"] for at_s in times]}
        for name, times in fired.items()
    ]
    body = json.dumps({"status": "success", "data": {"result": series}}).encode()

    class Answer(BaseHTTPRequestHandler):
        """Whatever is asked."""

        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(body)

        @override
        def log_message(self, format: str, *_: object) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Answer) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize(
    ("fired", "rules"),
    [
        ({"Watchdog": [1.0], "Expected": [15.0]}, set()),
        ({"Watchdog": [1.0], "Expected": [15.0], "Tolerated": [16.0]}, set()),
        ({"Watchdog": [1.0]}, {Rule.SILENT}),
        ({"Expected": [25.0]}, {Rule.SILENT}),
        ({"Expected": [15.0], "Other": [15.0]}, {Rule.NOISY}),
    ],
    ids=["well", "collateral", "silent", "too late", "noisy"],
)
def test_alerts_are_compared_with_what_should_have_fired(
    fired: dict[str, list[float]], rules: set[Rule]
) -> None:
    """An alert that stays silent or comes too late is a fault, and so is one nobody expects."""
    finding = Finding()
    with a_prometheus(fired) as url:
        expected = [ExpectedAlert(alert="Expected", from_s=10, to_s=20)]
        notes = AlertNotes(
            prometheus=url, from_s=0, to_s=30, expected=expected, collateral=["Tolerated"]
        )
        judge_alerts(notes, finding)

    assert named(finding.faults) == rules
    assert finding.alerts == (0 if Rule.SILENT in rules else 1)
