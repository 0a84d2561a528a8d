"""Are the dashboards on a Grafana those that are committed?"""

import json
from collections.abc import Iterator, Mapping
from typing import Final

import msgspec

from gx.proof.causes import Cause
from gx.proof.grafana import Grafana, Json
from gx.proof.verify.rows import Kind, Row, State

# What Grafana itself writes into a dashboard that it stores.
_ITS_OWN: Final = frozenset({"id", "version", "iteration"})
_SHOWN: Final = 4


def verify_dashboards(grafana: Grafana, committed: Mapping[str, str]) -> Iterator[Row]:
    """Yield a row for each committed dashboard; `committed` are their texts by uid.

    Raises:
        GrafanaError: It cannot be asked.
    """
    for uid, text in committed.items():
        stored = grafana.dashboard(uid)
        if stored is None:
            why = "Grafana has no such dashboard"
            yield _broken(uid, why)
            continue
        expected = msgspec.json.decode(text, type=Json)
        differing = find_differences(expected, stored)
        if not differing:
            yield Row(kind=Kind.DASHBOARD, name=uid, state=State.EQUAL)
            continue
        more = len(differing) - _SHOWN
        shown = ", ".join(differing[:_SHOWN]) + (f" and {more} more" if more > 0 else "")
        yield _broken(uid, f"differs from the committed one at {shown}")


def find_differences(expected: Json, stored: Json) -> list[str]:
    """Return the places at which two dashboards differ, but for what Grafana itself writes."""
    left = {key: value for key, value in expected.items() if key not in _ITS_OWN}
    right = {key: value for key, value in stored.items() if key not in _ITS_OWN}
    return list(_differences(left, right, ""))


def _differences(left: object, right: object, place: str) -> Iterator[str]:
    if isinstance(left, dict) and isinstance(right, dict):
        for key in sorted({*left, *right}, key=str):
            yield from _differences(left.get(key), right.get(key), f"{place}.{key}".lstrip("."))
    elif isinstance(left, list) and isinstance(right, list) and len(left) == len(right):
        for index, (first, second) in enumerate(zip(left, right, strict=True)):
            yield from _differences(first, second, f"{place}[{index}]")
    elif json.dumps(left, sort_keys=True) != json.dumps(right, sort_keys=True):
        yield place


def _broken(uid: str, why: str) -> Row:
    return Row(
        kind=Kind.DASHBOARD, name=uid, state=State.BROKEN, why=why, cause=Cause.DASHBOARD_DIFFERS
    )
