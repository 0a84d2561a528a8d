"""Dashboards that ask the wrong place, or for values that are not there.

A panel is empty with both Prometheus and its query in order where its datasource is none that
Grafana has, or where a variable in its matchers offers values that the label never has.
"""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from gx.proof.causes import Cause, Finding
from gx.proof.grafana import Datasource, Grafana, GrafanaError
from gx.proof.prometheus import Prometheus, QueryRefusedError
from gx.proof.reachability.inventory import ManifestError

# Sources that Grafana has without being told of them.
_BUILT_IN: Final = frozenset({"-- Grafana --", "-- Mixed --", "-- Dashboard --", "grafana"})
_BUILT_IN_VARIABLES: Final = "__"
_VARIABLE: Final = re.compile(r"\$\{?(\w+)")
_MATCHED: Final = re.compile(r"(\w+)\s*=~?\s*[\"']\$\{?(\w+)[^\"']*[\"']")
_LABEL_VALUES: Final = re.compile(r"label_values\(\s*(?:(.+),)?\s*(\w+)\s*\)", re.DOTALL)
_LISTED: Final = frozenset({"custom", "constant", "textbox"})
_SHOWN: Final = 6


class _Source(msgspec.Struct):
    uid: str | None = None
    type: str | None = None


class Variable(msgspec.Struct, rename="camel"):
    """A variable of a dashboard as far as it decides what its panels ask."""

    name: str
    type: str = ""
    query: object = None
    include_all: bool = False
    all_value: str | None = None

    @property
    def text(self) -> str:
        """Its query: older dashboards have a string, newer ones an object with one inside."""
        if isinstance(self.query, dict):
            return str(self.query.get("query", ""))
        return str(self.query or "")


class _Templating(msgspec.Struct):
    variables: list[Variable] = msgspec.field(name="list", default_factory=list)


class _Query(msgspec.Struct):
    expr: str = ""
    datasource: _Source | str | None = None


class _Panel(msgspec.Struct):
    title: str = ""
    datasource: _Source | str | None = None
    targets: list[_Query] = []
    panels: list["_Panel"] = []


class DashboardModel(msgspec.Struct):
    """A dashboard in Grafana's JSON, as far as a diagnosis reads it."""

    title: str = ""
    templating: _Templating = msgspec.field(default_factory=_Templating)
    panels: list[_Panel] = []

    def flat_panels(self) -> Iterator[_Panel]:
        """Yield its panels, those in collapsed rows included."""
        for panel in self.panels:
            yield panel
            yield from panel.panels


@dataclass(frozen=True, slots=True)
class PlacedDashboard:
    """A dashboard, and the file or address that it was read from."""

    where: str
    model: DashboardModel


def read_dashboards(source: str) -> list[PlacedDashboard]:
    """Read a dashboard's file, or all those of a folder.

    Raises:
        ManifestError: The source is not there, or a file is no dashboard.
    """
    path = Path(source)
    files = sorted(path.rglob("*.json")) if path.is_dir() else [path]
    if not files:
        raise ManifestError(f"{source}: no JSON file is below this folder")
    return [_read(file) for file in files]


def _read(file: Path) -> PlacedDashboard:
    try:
        model = msgspec.json.decode(file.read_bytes(), type=DashboardModel)
    except (OSError, msgspec.MsgspecError) as error:
        raise ManifestError(f"{file}: not read as a dashboard: {error}") from error
    return PlacedDashboard(str(file), model)


def dashboards_of_grafana(grafana: Grafana) -> Iterator[PlacedDashboard]:
    """Yield every dashboard of a Grafana.

    Raises:
        GrafanaError: It cannot be asked, or a dashboard is none that is known.
    """
    for uid in grafana.dashboard_uids():
        stored = grafana.dashboard(uid)
        if stored is None:
            continue  # deleted since it was listed
        where = f"{grafana.url}/d/{uid}"
        try:
            model = msgspec.convert(stored, DashboardModel)
        except msgspec.ValidationError as error:
            raise GrafanaError(
                f"{grafana.url}/d/{uid}: not read as a dashboard: {error}"
            ) from error
        yield PlacedDashboard(where, model)


def examine_datasources(
    placed: PlacedDashboard, known: Sequence[Datasource] | None
) -> Iterator[Finding]:
    """Yield the datasources that a dashboard names and that are not there.

    `known` are those of its Grafana; without, only what the dashboard itself gets wrong is seen.
    """
    variables = {each.name: each for each in placed.model.templating.variables}
    readers: dict[str, list[str]] = {}
    for panel in placed.model.flat_panels():
        for name in {
            _named(panel.datasource),
            *(_named(each.datasource) for each in panel.targets),
        }:
            readers.setdefault(name, []).append(panel.title)
    for name, titles in sorted(readers.items()):
        if (why := _why_unknown(name, variables, known)) is None:
            continue
        there = "none" if not known else _shorten([f"{each.uid} ({each.type})" for each in known])
        yield Finding(
            cause=Cause.DATASOURCE,
            where=f"{placed.where}: {name}",
            what=why,
            evidence=(
                f"asked by {_shorten(titles)}",
                *([] if known is None else [f"datasources of this Grafana: {there}"]),
            ),
            fix="give the dashboard a variable of type `datasource` and the panels its name, "
            "or provision the datasource under this uid",
        )


def _named(datasource: _Source | str | None) -> str:
    return datasource if isinstance(datasource, str) else (datasource and datasource.uid) or ""


def _why_unknown(
    name: str, variables: Mapping[str, Variable], known: Sequence[Datasource] | None
) -> str | None:
    """Say what is wrong with a datasource's name; None if nothing is, or nobody can know."""
    if not name or name in _BUILT_IN:
        return None
    if (found := _VARIABLE.fullmatch(name.rstrip("}"))) is not None:
        variable = variables.get(found[1])
        if variable is None or variable.type != "datasource":
            return f"the dashboard has no variable {found[1]} of type `datasource`"
        if known is not None and variable.text not in {each.type for each in known}:
            return f"Grafana has no datasource of the type {variable.text}"
        return None
    if known is not None and name not in {text for each in known for text in (each.uid, each.name)}:
        return "Grafana has no such datasource"
    return None


def examine_variables(placed: PlacedDashboard, prometheus: Prometheus) -> Iterator[Finding]:
    """Yield the variables whose values the label that they are matched with does not have."""
    variables = {each.name: each for each in placed.model.templating.variables}
    readers: dict[tuple[str, str], list[str]] = {}
    for panel in placed.model.flat_panels():
        matched = {pair for query in panel.targets for pair in _MATCHED.findall(query.expr)}
        for label, name in matched:
            if not name.startswith(_BUILT_IN_VARIABLES):
                readers.setdefault((label, name), []).append(panel.title)
    for (label, name), titles in sorted(readers.items()):
        found = _mismatch(label, variables.get(name), prometheus)
        if found is not None:
            what, evidence = found
            yield Finding(
                cause=Cause.NAMESPACE_VARIABLE,
                where=f"{placed.where}: ${name}",
                what=what,
                evidence=(*evidence, f"matched with {label} by {_shorten(titles)}"),
                fix=f"let the variable be `label_values({label})` of a series that the panels read",
            )


def _mismatch(
    label: str, variable: Variable | None, prometheus: Prometheus
) -> tuple[str, Sequence[str]] | None:
    """Return what is wrong with a variable that is matched with a label, and by what evidence."""
    if variable is None:
        return "the dashboard has no such variable", ()
    there = prometheus.values_of(label)
    try:
        offered = _offered(variable, prometheus)
    except QueryRefusedError as error:
        return "Prometheus does not evaluate its query", (variable.text, str(error))
    if offered is None or set(offered) & set(there):
        return None
    if offered:
        evidence = (f"it offers {_shorten(offered)}", f"{label} is {_shorten(there) or 'nowhere'}")
        return f"none of its values is one of the label {label}", evidence
    if variable.include_all and variable.all_value:
        return None  # All is a pattern of its own, and matches whatever comes
    return "it has no value", (variable.text, f"{label} is {_shorten(there) or 'nowhere'}")


def _offered(variable: Variable, prometheus: Prometheus) -> Collection[str] | None:
    """Return the values that one can choose; None for kinds whose values nobody can tell here."""
    if variable.type in _LISTED:
        texts = (each.rpartition(" : ")[2].strip() for each in variable.text.split(","))
        return [each for each in texts if each]
    found = _LABEL_VALUES.fullmatch(variable.text.strip())
    if variable.type != "query" or found is None or "$" in variable.text:
        return None
    series, label = found[1], found[2]
    if not series:
        return prometheus.values_of(label)
    samples = prometheus.ask(f"count by ({label}) ({series})")
    return sorted({each.labels.get(label, "") for each in samples} - {""})


def _shorten(texts: Collection[str]) -> str:
    shown = list(dict.fromkeys(texts))
    more = len(shown) - _SHOWN
    return ", ".join(shown[:_SHOWN]) + (f" and {more} more" if more > 0 else "")
