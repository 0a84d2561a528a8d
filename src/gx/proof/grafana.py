"""A running Grafana, asked over its HTTP API; nothing is changed there."""

from typing import Final, TypeVar

import httpx
import msgspec

from gx.domain.errors import GxError

_TIMEOUT_S: Final = 10.0
_SEARCH_LIMIT: Final = 5000  # the most that Grafana gives in one answer

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


class _Listed(msgspec.Struct):
    uid: str


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

    def dashboard_uids(self) -> list[str]:
        """Return the uids of all its dashboards.

        Raises:
            GrafanaError: It cannot be asked.
        """
        response = self._checked(self._get(f"/api/search?type=dash-db&limit={_SEARCH_LIMIT}"))
        return [each.uid for each in _decode(response, list[_Listed])]

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


def _decode(response: httpx.Response, shape: type[_Shape]) -> _Shape:
    try:
        return msgspec.json.decode(response.content, type=shape)
    except msgspec.MsgspecError as error:
        raise GrafanaError(f"{response.url} does not answer as Grafana does: {error}") from error
