"""Are the dashboards on a Grafana those that are committed?"""

import json
from collections.abc import Iterator, Mapping
from typing import Final, TypeVar

import httpx
import msgspec

from gx.domain.errors import GxError
from gx.proof.verify.rows import Kind, Row, State

_TIMEOUT_S: Final = 10.0
# What Grafana itself writes into a dashboard that it stores.
_ITS_OWN: Final = frozenset({"id", "version", "iteration"})
_SHOWN: Final = 4

Json = dict[str, object]
_Shape = TypeVar("_Shape")


class GrafanaError(GxError):
    """A Grafana does not answer, or refuses; the text says which."""


class Datasource(msgspec.Struct, frozen=True):
    """A source of data that a Grafana knows."""

    uid: str
    type: str
    name: str = ""


class _Stored(msgspec.Struct):
    dashboard: Json


class Grafana:
    """One Grafana by its address; `token` is a service account's. It is only read."""

    def __init__(self, url: str, *, token: str | None = None) -> None:
        self.url = url.rstrip("/")
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}

    def dashboard(self, uid: str) -> Json | None:
        """Return a dashboard; None if there is none of this uid.

        Raises:
            GrafanaError: It cannot be asked.
        """
        response = self._get(f"/api/dashboards/uid/{uid}")
        if response.status_code == httpx.codes.NOT_FOUND:
            return None
        return _decode(self._checked(response), _Stored).dashboard

    def datasources(self) -> list[Datasource]:
        """Return the sources that it knows.

        Raises:
            GrafanaError: It cannot be asked.
        """
        return _decode(self._checked(self._get("/api/datasources")), list[Datasource])

    def _get(self, path: str) -> httpx.Response:
        try:
            return httpx.get(
                f"{self.url}{path}", headers=self._headers, timeout=_TIMEOUT_S, trust_env=False
            )
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise GrafanaError(f"no answer from Grafana at {self.url}: {error}") from error

    def _checked(self, response: httpx.Response) -> httpx.Response:
        if response.status_code != httpx.codes.OK:
            raise GrafanaError(
                f"Grafana answers {response.status_code} at {response.url}: does it want a token?"
            )
        return response


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
        kind=Kind.DASHBOARD, name=uid, state=State.BROKEN, why=why, cause="dashboard-differs"
    )


def _decode(response: httpx.Response, shape: type[_Shape]) -> _Shape:
    try:
        return msgspec.json.decode(response.content, type=shape)
    except msgspec.MsgspecError as error:
        raise GrafanaError(f"{response.url} does not answer as Grafana does: {error}") from error
