"""What the page gets, as values; names on the wire are in camel case.

Every document has `problem`: None, or a sentence for people that says which source is away. What
could be read all the same is there beside it.
"""

import msgspec


class _Wire(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A part of a document."""


class WireBand(_Wire, frozen=True):
    """From `start` on, up to the next band's, this colour; None is where all values start."""

    start: float | None
    color: str


class WireState(_Wire, frozen=True):
    """The word and the colour for one exact value."""

    value: float
    word: str
    color: str


class WireQuery(_Wire, frozen=True):
    """One expression as the catalogue has it, with its variables, for people to copy."""

    expr: str
    legend: str
    needs_traffic: bool


class WirePanel(_Wire, frozen=True):
    """One panel of the catalogue; `opens` is the dashboard that says more."""

    title: str
    description: str
    drawing: str
    measure: str
    queries: tuple[WireQuery, ...]
    runbooks: tuple[str, ...]
    bands: tuple[WireBand, ...]
    states: tuple[WireState, ...]
    least: float | None
    most: float | None
    decimals: int | None
    stack_groups: tuple[str, ...]
    opens: str | None


class WireRow(_Wire, frozen=True):
    """Panels side by side."""

    title: str
    panels: tuple[WirePanel, ...]


class WireDashboard(_Wire, frozen=True):
    """One page of panels. `has_namespaces` says whether its queries have the variable."""

    uid: str
    title: str
    description: str
    tags: tuple[str, ...]
    rows: tuple[WireRow, ...]
    has_namespaces: bool
    refresh_s: int
    span_s: int


class WireSeries(_Wire, frozen=True):
    """One series; `values` stand on the time grid, a gauge's has one, and None is no value."""

    legend: str
    labels: dict[str, str]
    values: tuple[float | None, ...]


class WirePanelData(_Wire, frozen=True):
    """The series of one panel."""

    series: tuple[WireSeries, ...]
    problem: str | None = None


class WireData(_Wire, frozen=True):
    """The numbers of one dashboard: sample `i` of a series is of `start_s + i * step_s`."""

    problem: str | None
    at_ms: int
    start_s: int
    step_s: int
    count: int
    panels: tuple[WirePanelData, ...]


class WireAlert(_Wire, frozen=True):
    """An alert that fires or is about to. `muted` says why nobody is notified of it."""

    name: str
    state: str
    severity: str
    component: str
    labels: dict[str, str]
    summary: str
    description: str
    active_at: str
    value: str
    runbook: str | None
    dashboard: str | None
    muted: str | None


class WireRule(_Wire, frozen=True):
    """An alerting rule that Prometheus has loaded, and whether it can evaluate it."""

    name: str
    group: str
    severity: str
    state: str
    health: str
    last_error: str
    expr: str
    for_s: float
    summary: str
    runbook: str | None
    dashboard: str | None


class WireAlerts(_Wire, frozen=True):
    """The page of the alerts. `watchdog` is False where the alert that always fires does not."""

    problem: str | None
    alertmanager_problem: str | None
    watchdog: bool
    alerts: tuple[WireAlert, ...]
    rules: tuple[WireRule, ...]


class WireTarget(_Wire, frozen=True):
    """One address that Prometheus asks for numbers."""

    job: str
    instance: str
    namespace: str
    service: str
    health: str
    last_error: str
    last_scrape: str
    duration_s: float
    url: str


class WireMissing(_Wire, frozen=True):
    """A target that should be scraped and is not configured or was not found."""

    job: str
    namespace: str
    service: str


class WireTargets(_Wire, frozen=True):
    """The page of the targets."""

    problem: str | None
    targets: tuple[WireTarget, ...]
    missing: tuple[WireMissing, ...]


class WireSource(_Wire, frozen=True):
    """Whether a program that the console reads from answers."""

    name: str
    url: str
    problem: str | None


class WireStatus(_Wire, frozen=True):
    """What stands above every page. The counts are None while Prometheus is away."""

    at_ms: int
    environment: str
    sources: tuple[WireSource, ...]
    namespaces: tuple[str, ...]
    critical: int | None
    warning: int | None
    pending: int | None
    targets_up: int | None
    targets_down: int | None
