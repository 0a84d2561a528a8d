"""What each process exports, and how its numbers get there."""

import re
from dataclasses import replace

import pytest
from prometheus_client import generate_latest
from prometheus_client.registry import DuplicateTimeseries

from gx.telemetry.catalogue import aliases_of, metrics_of
from gx.telemetry.catalogue.edge import HTTP_REQUESTS
from gx.telemetry.catalogue.read_path import PROJECTION_LAG
from gx.telemetry.catalogue.write_path import OUTBOX_COMMANDS_PROCESSED
from gx.telemetry.factory import IncompleteMetricsError, InstrumentFactory, ProcessFacts
from gx.telemetry.families import MetricsRegistry
from gx.telemetry.instruments import (
    build_api_metrics,
    build_projector_metrics,
    build_submitter_metrics,
)
from gx.telemetry.metric import Condition, Kind, Process
from gx.telemetry.vectors import UnknownLabelValueError
from tests.telemetry.clocks import StoppedClock
from tests.telemetry.processes import (
    BUILDERS,
    COMMAND_TYPES,
    EVENT_TYPES,
    REFUSAL_CODES,
    ROUTES,
    declared_names,
    samples_of,
)


@pytest.mark.parametrize("process", BUILDERS)
def test_what_is_exported_is_what_is_declared(process: Process) -> None:
    """A process exports each metric that the catalogue promises for it, and no other."""
    registry = MetricsRegistry()
    BUILDERS[process](registry)

    assert declared_names(registry.render()) == {metric.name for metric in metrics_of(process)}


@pytest.mark.parametrize("process", BUILDERS)
def test_every_labelled_counter_starts_with_its_children_at_zero(process: Process) -> None:
    """The first failure ever is an increase from 0, so each counter has children, all at 0."""
    registry = MetricsRegistry()
    BUILDERS[process](registry)
    samples = samples_of(registry.render())

    for metric in metrics_of(process):
        if metric.kind is Kind.COUNTER and not metric.by_client_library:
            values = [value for (name, _), value in samples.items() if name == metric.name]
            assert values, metric.name
            assert set(values) == {0.0}, metric.name


def test_every_combination_of_label_values_exists() -> None:
    """Each command type with each code is there, and one more of both for the undeclared."""
    registry = MetricsRegistry()
    BUILDERS[Process.SUBMITTER](registry)
    samples = samples_of(registry.render())

    for command_type in (*COMMAND_TYPES, "other"):
        for code in (*REFUSAL_CODES, "OTHER"):
            labels = (("code", code), ("commandType", command_type))
            assert samples["outbox_commands_rejected_total", labels] == 0
        for status in ("success", "failed", "rejected", "retry"):
            labels = (("commandType", command_type), ("status", status))
            assert samples["outbox_commands_processed_total", labels] == 0


@pytest.mark.parametrize("process", BUILDERS)
def test_the_text_is_what_the_client_library_would_write(process: Process) -> None:
    """Our quick renderer and prometheus_client's slow one say the same numbers and types."""
    registry = MetricsRegistry()
    BUILDERS[process](registry)
    ours, theirs = registry.render(), generate_latest(registry)

    assert declared_names(ours) == declared_names(theirs)
    stable = re.compile(r"^(process|python)_")  # these move between two readings
    assert {key: value for key, value in samples_of(ours).items() if not stable.match(key[0])} == {
        key: value for key, value in samples_of(theirs).items() if not stable.match(key[0])
    }


def test_an_alias_in_the_same_unit_is_the_same_number() -> None:
    """Queue depth and checkpoint position follow their newer names, absent when they are."""
    registry = MetricsRegistry()
    metrics = build_submitter_metrics(
        registry, command_types=COMMAND_TYPES, refusal_codes=REFUSAL_CODES
    )

    assert ("outbox_queue_depth", ()) not in samples_of(registry.render())
    metrics.pending.set(17)
    samples = samples_of(registry.render())
    assert samples["outbox_pending_commands", ()] == 17
    assert samples["outbox_queue_depth", ()] == 17


def test_an_alias_in_another_unit_is_converted_bucket_by_bucket() -> None:
    """The twin in seconds has bounds and sum divided by 1000 and the same counts."""
    registry = MetricsRegistry()
    metrics = build_projector_metrics(registry, event_types=EVENT_TYPES, channel="gxchannel")
    for duration_ms in (4.0, 5.0, 300.0, 20_000.0):
        metrics.event_processing_duration_ms.observe(duration_ms)
    samples = samples_of(registry.render())
    ms, s = "projector_event_processing_duration_ms", "projector_processing_duration_seconds"

    assert samples[f"{s}_count", ()] == samples[f"{ms}_count", ()] == 4
    assert samples[f"{s}_sum", ()] == samples[f"{ms}_sum", ()] / 1000
    buckets = {labels: value for (name, labels), value in samples.items() if name == f"{ms}_bucket"}
    for ((_, bound),), value in buckets.items():
        converted = bound if bound == "+Inf" else str(float(bound) / 1000)
        assert samples[f"{s}_bucket", (("le", converted),)] == value
    assert samples[f"{s}_bucket", (("le", "0.3"),)] == 3


def test_a_gauge_is_asked_once_for_all_its_names() -> None:
    """A reading that changes from call to call still shows one number under both names."""
    registry = MetricsRegistry()
    metrics = build_projector_metrics(registry, event_types=EVENT_TYPES, channel="gxchannel")
    readings = iter(range(100))
    metrics.checkpoint.read_with(lambda: float(next(readings)))
    samples = samples_of(registry.render())

    assert samples["projector_checkpoint_block_number", ()] == 0
    assert samples["projector_checkpoint_position", ()] == 0


def test_a_gauge_whose_source_cannot_be_read_is_absent() -> None:
    """None, or an error, removes the number and nothing else; the next good reading is back."""
    registry = MetricsRegistry()
    metrics = build_projector_metrics(registry, event_types=EVENT_TYPES, channel="gxchannel")
    answers: list[float | Exception | None] = [None, RuntimeError("no ledger"), 3.0]

    def ask() -> float | None:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    metrics.lag_blocks.read_with(ask)
    for _ in range(2):
        samples = samples_of(registry.render())
        assert ("projector_lag_blocks", ()) not in samples
        assert samples["projector_worker_status", ()] == 0
    assert samples_of(registry.render())["projector_lag_blocks", ()] == 3


def test_a_sampled_gauge_is_absent_once_nobody_renews_it() -> None:
    """A dead sampler leaves no old number behind: after 30 s the queue's depth is unknown."""
    clock, registry = StoppedClock(), MetricsRegistry()
    metrics = build_submitter_metrics(
        registry,
        command_types=COMMAND_TYPES,
        refusal_codes=REFUSAL_CODES,
        facts=ProcessFacts(monotonic_s=clock.monotonic_s),
    )
    metrics.pending.set(5)

    clock.advance(seconds=30)
    assert samples_of(registry.render())["outbox_pending_commands", ()] == 5
    clock.advance(seconds=0.1)
    assert ("outbox_pending_commands", ()) not in samples_of(registry.render())


def test_the_queue_can_be_forgotten_at_once() -> None:
    """When the database cannot be asked, its four numbers go and the others stay."""
    registry = MetricsRegistry()
    metrics = build_submitter_metrics(
        registry, command_types=COMMAND_TYPES, refusal_codes=REFUSAL_CODES
    )
    for gauge in (
        *(metrics.pending, metrics.processing, metrics.dead_letters),
        *(metrics.oldest_pending_age_s, metrics.breaker_state),
    ):
        gauge.set(1)
    metrics.forget_queue()
    names = {name for name, _ in samples_of(registry.render())}

    assert not {name for name in names if name.startswith(("outbox_pending", "outbox_oldest"))}
    assert not names & {"outbox_processing_commands", "outbox_dlq_commands", "outbox_queue_depth"}
    assert "circuit_breaker_state" in names


def test_a_foreign_value_nobody_declared_counts_as_the_fallback() -> None:
    """A newer ledger's refusal code is counted, without a new series."""
    registry = MetricsRegistry()
    metrics = build_submitter_metrics(
        registry, command_types=COMMAND_TYPES, refusal_codes=REFUSAL_CODES
    )
    before = len(samples_of(registry.render()))
    metrics.rejected.foreign("MINT_COINS", "SOMETHING_NEW").inc(2)
    samples = samples_of(registry.render())

    assert len(samples) == before
    labels = (("code", "OTHER"), ("commandType", "MINT_COINS"))
    assert samples["outbox_commands_rejected_total", labels] == 2


def test_a_wrong_label_value_is_an_error() -> None:
    """A status that no label knows, or a missing label, is a mistake in the code."""
    metrics = build_submitter_metrics(
        MetricsRegistry(), command_types=COMMAND_TYPES, refusal_codes=REFUSAL_CODES
    )

    with pytest.raises(UnknownLabelValueError, match="'done' is none of"):
        metrics.processed("done", "MINT_COINS")
    with pytest.raises(UnknownLabelValueError, match="takes"):
        metrics.processed("success")


def test_a_word_of_our_own_is_declared_even_where_there_is_a_fallback() -> None:
    """The fallback is for what others say; our own mistake must not hide in it."""
    metrics = build_submitter_metrics(
        MetricsRegistry(), command_types=COMMAND_TYPES, refusal_codes=REFUSAL_CODES
    )

    with pytest.raises(UnknownLabelValueError, match="code='SOMETHING_NEW' is none of"):
        metrics.rejected("MINT_COINS", "SOMETHING_NEW")
    with pytest.raises(UnknownLabelValueError, match="'done' is none of"):
        metrics.processed.foreign("done", "MINT_COINS")
    metrics.rejected("other", "OTHER").inc()


def test_a_counter_cannot_shrink() -> None:
    """A negative increment would look like a restart to Prometheus."""
    metrics = build_api_metrics(MetricsRegistry(), routes=ROUTES)

    with pytest.raises(ValueError, match="cannot shrink"):
        metrics.admissions_refused.inc(-1)


def test_unknown_paths_and_methods_make_no_series() -> None:
    """Clients who invent paths, methods or statuses fill neither the memory nor Prometheus."""
    registry = MetricsRegistry()
    metrics = build_api_metrics(registry, routes=ROUTES)
    before = len(samples_of(registry.render()))
    for number in range(50):
        route = metrics.route(f"/wp-admin/{number}", f"BREW{number}")
        route.answered(499).inc()
        route.duration_ms.observe(1)
    samples = samples_of(registry.render())

    assert len(samples) == before
    labels = (
        *(("endpoint", "unmatched"), ("method", "other")),
        *(("service", "api"), ("status", "other")),
    )
    assert samples[HTTP_REQUESTS.name, labels] == 50


def test_a_route_keeps_its_instruments() -> None:
    """The request path gets the same, already labelled instruments each time."""
    metrics = build_api_metrics(MetricsRegistry(), routes=ROUTES)

    assert metrics.route(*ROUTES[0]) is metrics.route(*ROUTES[0])
    assert metrics.route(*ROUTES[0]).answered(202) is metrics.route(*ROUTES[0]).answered(202)


def test_open_streams_are_counted_up_and_down() -> None:
    """A gauge that several tasks move shows how many hold something open now."""
    registry = MetricsRegistry()
    metrics = build_api_metrics(registry, routes=ROUTES)
    for change in (1, 1, 1, -1):
        metrics.streams_open.add(change)

    assert samples_of(registry.render())["http_streams_open", ()] == 2


def test_without_redis_its_counter_has_no_children() -> None:
    """What is not configured is not counted at 0, and the live check knows why."""
    registry = MetricsRegistry()
    metrics = build_api_metrics(registry, routes=ROUTES)

    assert not [name for name, _ in samples_of(registry.render()) if name.startswith("redis_")]
    with pytest.raises(UnknownLabelValueError, match="EVALSHA"):
        metrics.redis_commands("EVALSHA", "success")
    assert {metric.name for metric in metrics_of(Process.API) if metric.condition} == {
        "redis_commands_total"
    }
    assert Condition.REDIS.startswith("only where")


def test_a_process_that_exports_too_little_does_not_start() -> None:
    """Forgetting to make a declared metric fails at start-up and names the metric."""
    make = InstrumentFactory(MetricsRegistry(), Process.PROJECTOR, values={})

    with pytest.raises(IncompleteMetricsError, match=PROJECTION_LAG.name):
        make.finish()


def test_one_name_is_exported_once() -> None:
    """Two sets of instruments in one registry are refused: their numbers would contradict."""
    registry = MetricsRegistry()
    BUILDERS[Process.LEDGER](registry)

    with pytest.raises(DuplicateTimeseries):
        BUILDERS[Process.LEDGER](registry)


def test_label_values_are_escaped() -> None:
    """Quotes, backslashes and line breaks in a value cannot break the exposition."""
    registry = MetricsRegistry()
    metrics = build_submitter_metrics(registry, command_types=('a"b\\c\nd',), refusal_codes=())
    metrics.processed("success", 'a"b\\c\nd').inc()

    labels = (("commandType", 'a"b\\c\nd'), ("status", "success"))
    assert samples_of(registry.render())[OUTBOX_COMMANDS_PROCESSED.name, labels] == 1


def test_the_configuration_hash_tells_replicas_apart() -> None:
    """Equal configurations have equal hashes, others differ, and a float holds them exactly."""
    one, same, other = (ProcessFacts(configuration=text) for text in ("a=1", "a=1", "a=2"))

    assert one.config_hash == same.config_hash != other.config_hash
    assert 0 <= one.config_hash < 2**48


def test_aliases_belong_to_equal_metrics_only() -> None:
    """Looking up aliases compares declarations, not names."""
    assert aliases_of(replace(PROJECTION_LAG, help="Another.")) == ()
