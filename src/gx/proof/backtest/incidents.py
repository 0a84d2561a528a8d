"""Incidents that people marked in the history: what alerts should have found, and when."""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeAlias

import yaml

from gx.domain.errors import GxError

Row: TypeAlias = Mapping[str, object]


class IncidentFileError(GxError):
    """A file of incidents cannot be read; the text says which entry, and what is wrong with it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """Something that was wrong from `start_s` to `end_s`.

    `alerts` are those that should have found it; empty where any of them does.
    """

    name: str
    start_s: int
    end_s: int
    alerts: tuple[str, ...] = ()

    def concerns(self, alert: str) -> bool:
        """Say whether this alert should have found it."""
        return not self.alerts or alert in self.alerts


def read_incidents(path: Path) -> tuple[Incident, ...]:
    """Read a CSV with a heading, or a YAML list: name, start, end, and perhaps alerts.

    Raises:
        IncidentFileError: The file cannot be read, or an entry makes no sense.
    """
    try:
        text = path.read_text(encoding="utf-8")
        rows: object = (
            list(csv.DictReader(text.splitlines()))
            if path.suffix == ".csv"
            else yaml.safe_load(text)
        )
    except (OSError, UnicodeDecodeError, yaml.YAMLError, csv.Error) as error:
        raise IncidentFileError(f"{path} cannot be read: {error}") from error
    if not isinstance(rows, list):
        raise IncidentFileError(f"{path}: a list of incidents was expected")
    found = [_incident(row, f"{path}: entry {number}") for number, row in enumerate(rows, 1)]
    return tuple(sorted(found, key=lambda incident: incident.start_s))


def parse_time_s(value: object, where: str) -> int:
    """Read seconds since 1970, or an ISO 8601 time, which is UTC unless it names an offset.

    Raises:
        IncidentFileError: It is neither.
    """
    if isinstance(value, datetime):
        return _seconds(value)
    text = str(value).strip()
    try:
        return round(float(text))
    except ValueError:
        pass
    try:
        return _seconds(datetime.fromisoformat(text))
    except ValueError as error:
        raise IncidentFileError(
            f"{where}: {text!r} is no time: give 2026-11-21T23:00:00Z or seconds since 1970"
        ) from error


def _seconds(value: datetime) -> int:
    return round((value if value.tzinfo else value.replace(tzinfo=UTC)).timestamp())


def _incident(row: object, where: str) -> Incident:
    if not isinstance(row, dict):
        raise IncidentFileError(f"{where} is no mapping")
    if missing := [field for field in ("name", "start", "end") if not row.get(field)]:
        raise IncidentFileError(f"{where} lacks {', '.join(missing)}")
    incident = Incident(
        name=str(row["name"]),
        start_s=parse_time_s(row["start"], where),
        end_s=parse_time_s(row["end"], where),
        alerts=_alerts(row.get("alerts")),
    )
    if incident.end_s <= incident.start_s:
        raise IncidentFileError(f"{where}: {incident.name} ends before it starts")
    return incident


def _alerts(value: object) -> tuple[str, ...]:
    names: Sequence[object] = value if isinstance(value, list) else str(value or "").split(";")
    return tuple(str(name).strip() for name in names if str(name).strip())
