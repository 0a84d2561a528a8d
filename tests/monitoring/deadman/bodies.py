"""Bodies as Alertmanager 0.25 posts them."""

import json


def a_heartbeat(*, status: str = "firing", name: str = "Watchdog", version: str = "4") -> bytes:
    """Return a webhook with one alert in it."""
    return json.dumps(
        {
            "receiver": "deadman",
            "status": status,
            "alerts": [
                {
                    "status": status,
                    "labels": {"alertname": name, "severity": "none"},
                    "annotations": {"summary": "Alerting works."},
                    "startsAt": "2026-11-21T22:00:00Z",
                    "endsAt": "0001-01-01T00:00:00Z",
                    "generatorURL": "",
                    "fingerprint": "0f1e",
                }
            ],
            "groupLabels": {"alertname": name},
            "commonLabels": {"alertname": name},
            "commonAnnotations": {},
            "externalURL": "http://127.0.0.1:30093",
            "version": version,
            "groupKey": "{}:{}",
            "truncatedAlerts": 0,
        }
    ).encode()
