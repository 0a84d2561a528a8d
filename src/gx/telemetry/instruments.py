"""The instruments of each process, built from the catalogue: one typed object a process.

Every child of every labelled counter exists at 0 from the start, and building fails unless all
that the catalogue promises for the process is there. Labels are given in the catalogue's order:
`metrics.processed("success", "MINT_COINS").inc()`. A hot path keeps the instruments it uses.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import TypedDict

from gx.telemetry.catalogue import contract_host, edge, every_process, read_path, write_path
from gx.telemetry.catalogue.dimensions import CALL_STATUS, ENDPOINT, HTTP_STATUS, METHOD
from gx.telemetry.cells import Counter, Gauge, Histogram
from gx.telemetry.factory import InstrumentFactory, ProcessFacts
from gx.telemetry.families import MetricsRegistry
from gx.telemetry.metric import Process, ValueSource
from gx.telemetry.upgrades import UpgradeReason
from gx.telemetry.vectors import CounterVector, GaugeVector, HistogramVector


@dataclass(frozen=True, slots=True, kw_only=True)
class BackendMetrics:
    """What submitter, projector and API say of their database and ledger."""

    database_up: Gauge
    ledger_up: Gauge
    pool_active: Gauge
    pool_max: Gauge
    pool_waiting: Gauge
    upgrade_needed: GaugeVector

    def __post_init__(self) -> None:
        """Begin with nothing that needs an upgrade."""
        self.no_upgrade_needed(*UpgradeReason)

    def no_upgrade_needed(self, *reasons: UpgradeReason) -> None:
        """Say that this release can read what there is, or that it is another's to read."""
        for reason in reasons:
            self.upgrade_needed(reason).set(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmitterMetrics(BackendMetrics):
    """What the outbox-submitter says."""

    certificate_expiry_s: GaugeVector
    pending: Gauge
    processing: Gauge
    dead_letters: Gauge
    oldest_pending_age_s: Gauge
    processed: CounterVector
    rejected: CounterVector
    dead_lettered: CounterVector
    processing_duration_s: Histogram
    commit_latency_s: Histogram
    batch_commands: Histogram
    worker_status: Gauge
    worker_active: Gauge
    lease_epoch: Gauge
    transactions: CounterVector
    reendorsements: CounterVector
    transaction_duration_ms: Histogram
    breaker_state: Gauge
    breaker_transitions: CounterVector
    breaker_rejections: Counter
    outbox_differences: GaugeVector
    reconciliation_age_s: Gauge
    reconciliation_duration_s: Gauge

    def forget_queue(self) -> None:
        """Make the queue's numbers absent, because the database could not be asked."""
        for gauge in (self.pending, self.processing, self.dead_letters, self.oldest_pending_age_s):
            gauge.clear()


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectorMetrics(BackendMetrics):
    """What the projector says. Lag and height are absent until somebody reads the ledger."""

    certificate_expiry_s: GaugeVector
    lag_ms: Gauge
    lag_blocks: Gauge
    events_processed: CounterVector
    events_failed: CounterVector
    event_processing_duration_ms: Histogram
    checkpoint: Gauge
    worker_status: Gauge
    worker_active: Gauge
    lease_epoch: Gauge
    parked_events: Gauge
    blockchain_height: GaugeVector
    reconciliation_difference: GaugeVector
    reconciliation_age_s: Gauge
    reconciliation_duration_s: Gauge


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteMetrics:
    """The instruments of one route template and method."""

    requests: CounterVector
    service: str
    endpoint: str
    method: str
    duration_ms: Histogram
    request_size_bytes: Histogram
    response_size_bytes: Histogram
    _by_status: dict[int, Counter] = field(init=False, default_factory=dict)

    def answered(self, status: int) -> Counter:
        """Return the counter of this route's answers with a status code."""
        counter = self._by_status.get(status)
        if counter is None:
            labels = (self.service, self.endpoint, self.method, str(status))
            counter = self.requests.foreign(*labels)
            self._by_status[status] = counter
        return counter


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiMetrics(BackendMetrics):
    """What the API says. `route` gives what the request path needs, already labelled."""

    service: str
    requests: CounterVector
    request_duration_ms: HistogramVector
    request_size_bytes: HistogramVector
    response_size_bytes: HistogramVector
    wait_duration_ms: Histogram
    streams_open: Gauge
    admissions_refused: Counter
    redis_commands: CounterVector
    _routes: dict[tuple[str, str], RouteMetrics] = field(init=False, default_factory=dict)

    def route(self, endpoint: str, method: str) -> RouteMetrics:
        """Return the instruments of a route template and method.

        An unknown template counts as `unmatched`, an unknown method as `other`; neither is kept,
        so that clients who invent paths and methods cannot fill the memory.
        """
        known = self._routes.get((endpoint, method))
        return known if known is not None else self._label(endpoint, method)

    def remember(self, routes: Iterable[tuple[str, str]]) -> None:
        """Keep the instruments of these routes at hand."""
        for endpoint, method in routes:
            self._routes[endpoint, method] = self._label(endpoint, method)

    def _label(self, endpoint: str, method: str) -> RouteMetrics:
        return RouteMetrics(
            requests=self.requests,
            service=self.service,
            endpoint=endpoint,
            method=method,
            duration_ms=self.request_duration_ms.foreign(self.service, endpoint, method),
            request_size_bytes=self.request_size_bytes.foreign(self.service, endpoint),
            response_size_bytes=self.response_size_bytes.foreign(self.service, endpoint),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ContractHostMetrics:
    """What a process says of the contracts that it runs."""

    calls: CounterVector
    call_duration_ms: HistogramVector
    connections: Gauge


@dataclass(frozen=True, slots=True, kw_only=True)
class ChaincodeMetrics(ContractHostMetrics):
    """What the chaincode's process says."""

    certificate_expiry_s: GaugeVector


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerMetrics(ContractHostMetrics):
    """What the local ledger's process says, of itself and of the contracts that it runs."""

    block_height: Gauge
    transactions: CounterVector
    commit_duration_s: Histogram
    requests: CounterVector
    event_streams: Gauge
    state_keys: Gauge
    store_bytes: Gauge
    last_block_at_s: Gauge


def build_submitter_metrics(
    registry: MetricsRegistry,
    *,
    command_types: Collection[str],
    refusal_codes: Collection[str],
    facts: ProcessFacts | None = None,
) -> SubmitterMetrics:
    """Make the outbox-submitter's instruments and export them through `registry`."""
    make = InstrumentFactory(
        registry,
        Process.SUBMITTER,
        values={
            ValueSource.COMMAND_TYPES: command_types,
            ValueSource.REFUSAL_CODES: refusal_codes,
        },
        facts=facts,
    )
    metrics = SubmitterMetrics(
        certificate_expiry_s=make.gauges(every_process.CERTIFICATE_EXPIRY),
        pending=make.gauge(write_path.OUTBOX_PENDING_COMMANDS),
        processing=make.gauge(write_path.OUTBOX_PROCESSING_COMMANDS),
        dead_letters=make.gauge(write_path.OUTBOX_DLQ_COMMANDS),
        oldest_pending_age_s=make.gauge(write_path.OUTBOX_OLDEST_PENDING_AGE),
        processed=make.counters(write_path.OUTBOX_COMMANDS_PROCESSED),
        rejected=make.counters(write_path.OUTBOX_COMMANDS_REJECTED),
        dead_lettered=make.counters(write_path.OUTBOX_COMMANDS_DEAD_LETTERED),
        processing_duration_s=make.histogram(write_path.OUTBOX_PROCESSING_DURATION),
        commit_latency_s=make.histogram(write_path.OUTBOX_COMMIT_LATENCY),
        batch_commands=make.histogram(write_path.OUTBOX_BATCH_COMMANDS),
        worker_status=make.gauge(write_path.OUTBOX_WORKER_STATUS, start=0),
        worker_active=make.gauge(write_path.OUTBOX_WORKER_ACTIVE, start=0),
        lease_epoch=make.gauge(write_path.OUTBOX_LEASE_EPOCH),
        transactions=make.counters(write_path.FABRIC_TRANSACTION_SUBMISSIONS),
        reendorsements=make.counters(write_path.FABRIC_REENDORSEMENTS),
        transaction_duration_ms=make.histogram(write_path.FABRIC_TRANSACTION_DURATION),
        breaker_state=make.gauge(write_path.CIRCUIT_BREAKER_STATE, start=0),
        breaker_transitions=make.counters(write_path.CIRCUIT_BREAKER_TRANSITIONS),
        breaker_rejections=make.counter(write_path.CIRCUIT_BREAKER_REJECTIONS),
        outbox_differences=make.gauges(write_path.OUTBOX_DIFFERENCES),
        reconciliation_age_s=make.gauge(every_process.RECONCILIATION_AGE),
        reconciliation_duration_s=make.gauge(every_process.RECONCILIATION_DURATION),
        upgrade_needed=make.gauges(every_process.UPGRADE_NEEDED),
        **_backend_gauges(make),
    )
    make.finish()
    return metrics


def build_projector_metrics(
    registry: MetricsRegistry,
    *,
    event_types: Collection[str],
    channel: str,
    facts: ProcessFacts | None = None,
) -> ProjectorMetrics:
    """Make the projector's instruments and export them through `registry`."""
    make = InstrumentFactory(
        registry,
        Process.PROJECTOR,
        values={ValueSource.EVENT_TYPES: event_types, ValueSource.CHANNEL: (channel,)},
        facts=facts,
    )
    metrics = ProjectorMetrics(
        certificate_expiry_s=make.gauges(every_process.CERTIFICATE_EXPIRY),
        lag_ms=make.gauge(read_path.PROJECTION_LAG),
        lag_blocks=make.gauge(read_path.PROJECTION_LAG_BLOCKS),
        events_processed=make.counters(read_path.PROJECTOR_EVENTS_PROCESSED),
        events_failed=make.counters(read_path.PROJECTOR_EVENTS_FAILED),
        event_processing_duration_ms=make.histogram(read_path.PROJECTOR_PROCESSING_DURATION_MS),
        checkpoint=make.gauge(read_path.PROJECTOR_CHECKPOINT),
        worker_status=make.gauge(read_path.PROJECTOR_WORKER_STATUS, start=0),
        worker_active=make.gauge(read_path.PROJECTOR_WORKER_ACTIVE, start=0),
        lease_epoch=make.gauge(read_path.PROJECTOR_LEASE_EPOCH),
        parked_events=make.gauge(read_path.PROJECTOR_PARKED_EVENTS),
        blockchain_height=make.gauges(read_path.LEDGER_BLOCKCHAIN_HEIGHT),
        reconciliation_difference=make.gauges(read_path.RECONCILIATION_DIFFERENCE),
        reconciliation_age_s=make.gauge(every_process.RECONCILIATION_AGE),
        reconciliation_duration_s=make.gauge(every_process.RECONCILIATION_DURATION),
        upgrade_needed=make.gauges(every_process.UPGRADE_NEEDED),
        **_backend_gauges(make),
    )
    make.finish()
    return metrics


def build_api_metrics(
    registry: MetricsRegistry,
    *,
    routes: Collection[tuple[str, str]],
    redis_commands: Collection[str] = (),
    service: str = Process.API,
    facts: ProcessFacts | None = None,
) -> ApiMetrics:
    """Make the API's instruments and export them through `registry`.

    `routes` are (route template, method) pairs without the probes. Without `redis_commands`,
    no Redis is configured and redis_commands_total has no children.
    """
    make = InstrumentFactory(
        registry,
        Process.API,
        values={
            ValueSource.ROUTES: {endpoint for endpoint, _ in routes},
            ValueSource.SERVICE: (service,),
            ValueSource.REDIS_COMMANDS: redis_commands,
        },
        facts=facts,
    )
    unmatched = [(str(ENDPOINT.fallback), method) for method in METHOD.values]
    pairs = [(service, endpoint, method) for endpoint, method in (*routes, *unmatched)]
    endpoints = sorted({(service, endpoint) for _, endpoint, _ in pairs})
    metrics = ApiMetrics(
        service=service,
        requests=make.counters(
            edge.HTTP_REQUESTS,
            [(*pair, status) for pair in pairs for status in HTTP_STATUS.values],
        ),
        request_duration_ms=make.histograms(edge.HTTP_REQUEST_DURATION, pairs),
        request_size_bytes=make.histograms(edge.HTTP_REQUEST_SIZE, endpoints),
        response_size_bytes=make.histograms(edge.HTTP_RESPONSE_SIZE, endpoints),
        wait_duration_ms=make.histogram(edge.HTTP_WAIT_DURATION),
        streams_open=make.gauge(edge.HTTP_STREAMS_OPEN, start=0),
        admissions_refused=make.counter(edge.OUTBOX_ADMISSIONS_REFUSED),
        redis_commands=make.counters(edge.REDIS_COMMANDS, None if redis_commands else ()),
        upgrade_needed=make.gauges(every_process.UPGRADE_NEEDED),
        **_backend_gauges(make),
    )
    metrics.remember(routes)
    make.finish()
    return metrics


def build_ledger_metrics(
    registry: MetricsRegistry,
    *,
    functions: Collection[tuple[str, str]],
    facts: ProcessFacts | None = None,
) -> LedgerMetrics:
    """Make the local ledger's instruments; `functions` are (contract, function) pairs."""
    make = _contract_host_factory(registry, Process.LEDGER, functions, facts)
    metrics = LedgerMetrics(
        block_height=make.gauge(contract_host.LOCAL_LEDGER_HEIGHT),
        transactions=make.counters(contract_host.LOCAL_LEDGER_TRANSACTIONS),
        commit_duration_s=make.histogram(contract_host.LOCAL_LEDGER_COMMIT_DURATION),
        requests=make.counters(contract_host.LOCAL_LEDGER_REQUESTS),
        event_streams=make.gauge(contract_host.LOCAL_LEDGER_EVENT_STREAMS, start=0),
        state_keys=make.gauge(contract_host.LOCAL_LEDGER_STATE_KEYS),
        store_bytes=make.gauge(contract_host.LOCAL_LEDGER_STORE),
        last_block_at_s=make.gauge(contract_host.LOCAL_LEDGER_LAST_BLOCK),
        **_contract_instruments(make, functions),
    )
    make.finish()
    return metrics


def build_chaincode_metrics(
    registry: MetricsRegistry,
    *,
    functions: Collection[tuple[str, str]],
    facts: ProcessFacts | None = None,
) -> ChaincodeMetrics:
    """Make the chaincode's instruments; `functions` are (contract, function) pairs."""
    make = _contract_host_factory(registry, Process.CHAINCODE, functions, facts)
    metrics = ChaincodeMetrics(
        certificate_expiry_s=make.gauges(every_process.CERTIFICATE_EXPIRY),
        **_contract_instruments(make, functions),
    )
    make.finish()
    return metrics


def _contract_host_factory(
    registry: MetricsRegistry,
    process: Process,
    functions: Collection[tuple[str, str]],
    facts: ProcessFacts | None,
) -> InstrumentFactory:
    values = {
        ValueSource.CONTRACTS: {contract for contract, _ in functions},
        ValueSource.FUNCTIONS: {function for _, function in functions},
    }
    return InstrumentFactory(registry, process, values=values, facts=facts)


class _ContractInstruments(TypedDict):
    calls: CounterVector
    call_duration_ms: HistogramVector
    connections: Gauge


def _contract_instruments(
    make: InstrumentFactory, functions: Collection[tuple[str, str]]
) -> _ContractInstruments:
    calls = [(*pair, status) for pair in functions for status in CALL_STATUS.values]
    return {
        "calls": make.counters(contract_host.CHAINCODE_REQUESTS, calls),
        "call_duration_ms": make.histograms(contract_host.CHAINCODE_REQUEST_DURATION, functions),
        "connections": make.gauge(contract_host.CHAINCODE_STREAMS, start=0),
    }


def _backend_gauges(make: InstrumentFactory) -> dict[str, Gauge]:
    return {
        "database_up": make.gauge(every_process.DATABASE_UP),
        "ledger_up": make.gauge(every_process.LEDGER_UP),
        "pool_active": make.gauge(every_process.DATABASE_POOL_ACTIVE),
        "pool_max": make.gauge(every_process.DATABASE_POOL_MAX),
        "pool_waiting": make.gauge(every_process.DATABASE_POOL_WAITING),
    }
