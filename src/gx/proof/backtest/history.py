"""Asks a Prometheus for what an expression was over time, in as many answers as it takes.

Prometheus refuses more than 11,000 points of a series in one answer, and more samples at once
than its memory is set for; an answer that is too large is asked for again in halves.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Self, TypeAlias

import httpx
import msgspec

from gx.domain.errors import GxError
from gx.proof.backtest.states import Evaluations

POINTS_MAX: Final = 10_000
_TIMEOUT_S: Final = 180.0
_TOO_LARGE: Final = ("too many samples", "timed out", "exceeded maximum resolution")

Labels: TypeAlias = tuple[tuple[str, str], ...]


class HistoryUnreachableError(GxError):
    """No Prometheus answers at the address."""


class QueryRefusedError(GxError):
    """Prometheus does not evaluate an expression; the text has its reason."""


@dataclass(slots=True)
class Samples:
    """One series' values, ascending in time."""

    times_s: list[int]
    values: list[float]


class _Series(msgspec.Struct):
    metric: dict[str, str]
    values: list[tuple[float, str]] = []


class _Matrix(msgspec.Struct):
    result: list[_Series]


class _Answer(msgspec.Struct):
    data: _Matrix


class _Found(msgspec.Struct):
    data: list[dict[str, str]]


class _Refusal(msgspec.Struct):
    error: str = ""


class History:
    """A Prometheus' past. `tell` hears how far a long question is, from 0 to 1."""

    def __init__(self, url: str, *, tell: Callable[[float], None] = lambda _: None) -> None:
        self._client = httpx.Client(base_url=url, timeout=_TIMEOUT_S, trust_env=False)
        self._tell = tell

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def read(self, expr: str, evaluations: Evaluations) -> dict[Labels, Samples]:
        """Return the expression's value at each evaluation, by label set without the name.

        Raises:
            HistoryUnreachableError: Nothing answers at the address.
            QueryRefusedError: The expression is wrong, or too large at a single evaluation.
        """
        found: dict[Labels, Samples] = {}
        for part in chunks(evaluations):
            self._read_part(expr, part, found)
            self._tell((part.last_s - evaluations.start_s) / max(1, evaluations.length_s))
        return found

    def series(self, selector: str, evaluations: Evaluations) -> list[dict[str, str]]:
        """List the label sets that a selector matched at any time."""
        query = {
            "match[]": selector,
            "start": str(evaluations.start_s),
            "end": str(evaluations.end_s),
        }
        answer = self._ask("/api/v1/series", query, selector)
        return msgspec.json.decode(answer, type=_Found).data

    def _read_part(self, expr: str, part: Evaluations, found: dict[Labels, Samples]) -> None:
        query = {
            "query": expr,
            "start": str(part.start_s),
            "end": str(part.last_s),
            "step": str(part.step_s),
        }
        try:
            answer = self._ask("/api/v1/query_range", query, expr)
        except _TooLargeError:
            for half in halves(part):
                self._read_part(expr, half, found)
            return
        for series in msgspec.json.decode(answer, type=_Answer).data.result:
            samples = found.setdefault(_labels(series.metric), Samples([], []))
            samples.times_s.extend(round(at_s) for at_s, _ in series.values)
            samples.values.extend(float(value) for _, value in series.values)

    def _ask(self, path: str, query: Mapping[str, str], expr: str) -> bytes:
        try:
            response = self._client.post(path, data=query)
        except httpx.HTTPError as error:
            raise HistoryUnreachableError(
                f"no answer from Prometheus at {self._client.base_url}: {error}. "
                "Give the address of one that runs with --prometheus."
            ) from error
        if response.is_success:
            return response.content
        reason = _reason(response)
        text = f"Prometheus at {self._client.base_url} refused {expr[:300]!r}: {reason}"
        is_single = query.get("start") == query.get("end")
        if not is_single and any(each in reason for each in _TOO_LARGE):
            raise _TooLargeError(text)
        raise QueryRefusedError(text)


class _TooLargeError(QueryRefusedError):
    """The answer would be too large; a shorter question may not be."""


def chunks(evaluations: Evaluations) -> Iterator[Evaluations]:
    """Cut evaluations into parts of which each fits into one answer."""
    length_s = (POINTS_MAX - 1) * evaluations.step_s
    start_s = evaluations.start_s
    while start_s <= evaluations.last_s:
        end_s = min(start_s + length_s, evaluations.last_s)
        yield Evaluations(start_s=start_s, end_s=end_s, step_s=evaluations.step_s)
        start_s = end_s + evaluations.step_s


def halves(part: Evaluations) -> tuple[Evaluations, Evaluations]:
    """Cut evaluations, two or more, in two."""
    step_s = part.step_s
    middle_s = part.start_s + math.ceil(part.count / 2) * step_s
    return (
        Evaluations(start_s=part.start_s, end_s=middle_s - step_s, step_s=step_s),
        Evaluations(start_s=middle_s, end_s=part.end_s, step_s=step_s),
    )


def _labels(metric: Mapping[str, str]) -> Labels:
    return tuple(sorted((name, value) for name, value in metric.items() if name != "__name__"))


def _reason(response: httpx.Response) -> str:
    try:
        error = msgspec.json.decode(response.content, type=_Refusal).error
    except msgspec.DecodeError:
        error = ""
    return error or f"HTTP {response.status_code} {response.text[:200]}"
