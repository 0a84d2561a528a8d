"""A running Prometheus, asked over its HTTP API; nothing is changed there."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Self, TypeVar

import httpx
import msgspec
from prometheus_client.parser import text_string_to_metric_families

from gx.monitoring.live import PrometheusError

TIMEOUT_S: Final = 10.0
_EXCERPT_CHARS: Final = 500
_Shape = TypeVar("_Shape")


class QueryRefusedError(PrometheusError):
    """Prometheus does not evaluate a query; the text has its reason."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One sample of an instant vector; a scalar has no labels."""

    labels: Mapping[str, str]
    value: float


class Target(msgspec.Struct, frozen=True, rename="camel"):
    """A target that is scraped."""

    labels: dict[str, str]
    discovered_labels: dict[str, str]
    scrape_pool: str
    scrape_url: str
    health: str
    last_error: str = ""
    last_scrape_duration: float = 0.0
    scrape_timeout: str = ""


class DroppedTarget(msgspec.Struct, frozen=True, rename="camel"):
    """A target that was discovered, and that relabelling dropped."""

    discovered_labels: dict[str, str]
    scrape_pool: str = ""

    @property
    def job(self) -> str:
        """The job that discovered it; old versions say it in the labels alone."""
        return self.scrape_pool or self.discovered_labels.get("job", "")


class Targets(msgspec.Struct, frozen=True, rename="camel"):
    """Everything that discovery found."""

    active_targets: list[Target] = []
    dropped_targets: list[DroppedTarget] = []


class LoadedRule(msgspec.Struct, frozen=True, rename="camel"):
    """A rule that Prometheus evaluates; `duration` is an alert's `for`, in seconds."""

    name: str
    query: str
    type: str
    health: str
    last_error: str = ""
    labels: dict[str, str] = {}
    state: str = ""
    last_evaluation: str = ""
    duration: float = 0.0


class LoadedGroup(msgspec.Struct, frozen=True, rename="camel"):
    """A group of rules."""

    name: str
    file: str
    rules: list[LoadedRule]
    interval: float = 0.0


class Address(msgspec.Struct, frozen=True):
    """Where alerts are sent."""

    url: str


class Alertmanagers(msgspec.Struct, frozen=True, rename="camel"):
    """The Alertmanagers that Prometheus knows."""

    active_alertmanagers: list[Address] = []
    dropped_alertmanagers: list[Address] = []


class _Groups(msgspec.Struct):
    groups: list[LoadedGroup]


class _Config(msgspec.Struct):
    yaml: str


class _Series(msgspec.Struct):
    metric: dict[str, str] = {}
    value: tuple[float, str] = (0.0, "NaN")
    values: list[tuple[float, str]] = []


class _Result(msgspec.Struct, rename="camel"):
    result_type: str
    result: msgspec.Raw


class _Answer(msgspec.Struct):
    data: msgspec.Raw


class _Problem(msgspec.Struct):
    error: str


class Prometheus:
    """One Prometheus by its address. What was asked once is not asked again.

    Use as a context manager. Every method raises PrometheusError where it cannot be reached or
    answers with something else than Prometheus would.
    """

    def __init__(self, url: str, *, timeout_s: float = TIMEOUT_S) -> None:
        self.url = url.rstrip("/")
        self._client = httpx.Client(base_url=self.url, timeout=timeout_s, trust_env=False)
        self._vectors: dict[str, tuple[Sample, ...]] = {}
        self._values: dict[tuple[str, str], tuple[str, ...]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def targets(self) -> Targets:
        """Return every target, scraped or dropped."""
        return self._get("/api/v1/targets", Targets)

    def groups(self) -> list[LoadedGroup]:
        """Return the groups of rules that are loaded."""
        return self._get("/api/v1/rules", _Groups).groups

    def alertmanagers(self) -> Alertmanagers:
        """Return where alerts are sent."""
        return self._get("/api/v1/alertmanagers", Alertmanagers)

    def configuration(self) -> str:
        """Return the configuration in YAML as it is in effect."""
        return self._get("/api/v1/status/config", _Config).yaml

    def values_of(self, label: str, selector: str = "") -> tuple[str, ...]:
        """Return the values that a label has, of all series or of those of a selector."""
        key = (label, selector)
        if key not in self._values:
            parameters = {"match[]": selector} if selector else {}
            found = self._get(f"/api/v1/label/{label}/values", list[str], parameters)
            self._values[key] = tuple(found)
        return self._values[key]

    def ask(self, query: str) -> tuple[Sample, ...]:
        """Evaluate a query now.

        Raises:
            QueryRefusedError: It is no PromQL, or its evaluation fails.
        """
        if query not in self._vectors:
            answer = self._query(query)
            if answer.result_type == "scalar":
                _, text = msgspec.json.decode(answer.result, type=tuple[float, str])
                self._vectors[query] = (Sample({}, float(text)),)
            else:
                series = msgspec.json.decode(answer.result, type=list[_Series])
                self._vectors[query] = tuple(
                    Sample(each.metric, float(each.value[1])) for each in series
                )
        return self._vectors[query]

    def last_seen_s(self, selector: str, window: str = "1h") -> float | None:
        """Return the time of a selector's newest sample within the window before now."""
        answer = self._query(f"{selector}[{window}]")
        series = msgspec.json.decode(answer.result, type=list[_Series])
        return max((each.values[-1][0] for each in series if each.values), default=None)

    def own_samples(self) -> tuple[Sample, ...]:
        """Return what it says of itself now, whether it is scraped by anybody or not."""
        return parse_samples(self._send("GET", "/metrics", {}).text)

    def now_s(self) -> float:
        """Return Prometheus' own time, which its samples are stamped with."""
        return self.ask("time()")[0].value

    def _query(self, query: str) -> _Result:
        return self._decode(self._send("POST", "/api/v1/query", {"query": query}), _Result)

    def _get(
        self, path: str, shape: type[_Shape], parameters: Mapping[str, str] | None = None
    ) -> _Shape:
        return self._decode(self._send("GET", path, parameters or {}), shape)

    def _send(self, method: str, path: str, parameters: Mapping[str, str]) -> httpx.Response:
        try:
            if method == "POST":
                response = self._client.post(path, data=dict(parameters))
            else:
                response = self._client.get(path, params=dict(parameters))
        except httpx.HTTPError as error:
            raise PrometheusError(f"no answer from Prometheus at {self.url}: {error}") from error
        if response.status_code in {httpx.codes.BAD_REQUEST, httpx.codes.UNPROCESSABLE_ENTITY}:
            raise QueryRefusedError(_reason(response))
        if response.status_code != httpx.codes.OK:
            raise PrometheusError(f"{self.url}{path} answers {_reason(response)}")
        return response

    def _decode(self, response: httpx.Response, shape: type[_Shape]) -> _Shape:
        try:
            answer = msgspec.json.decode(response.content, type=_Answer)
            return msgspec.json.decode(answer.data, type=shape)
        except msgspec.MsgspecError as error:
            raise PrometheusError(
                f"{response.url} does not answer as Prometheus does: {error}"
            ) from error


def parse_samples(exposition: str) -> tuple[Sample, ...]:
    """Read an exposition; each sample's name is its label `__name__`."""
    return tuple(
        Sample({"__name__": sample.name, **sample.labels}, sample.value)
        for family in text_string_to_metric_families(exposition)
        for sample in family.samples
    )


def _reason(response: httpx.Response) -> str:
    """Return what a refusal says, without its wrapping."""
    try:
        return msgspec.json.decode(response.content, type=_Problem).error
    except msgspec.MsgspecError:
        return f"{response.status_code}: {response.text[:_EXCERPT_CHARS]}"
