"""What is declared: the names that dashboards, alerts and operators rely on."""

from typing import Final

import pytest

from gx.telemetry.catalogue import CATALOGUE, aliases_of, metrics_of
from gx.telemetry.catalogue.usage import MOVED_BY_WORK, STILL_WITHOUT_TROUBLE
from gx.telemetry.metric import Kind, Process, Unit
from gx.telemetry.naming import find_faults

# The names that the original's alerts, panels and documents quote, by the process that exports
# them. A change here is a change for every operator.
QUOTED_NAMES: Final = {
    Process.SUBMITTER: """
        outbox_pending_commands outbox_queue_depth outbox_processing_commands outbox_dlq_commands
        outbox_oldest_pending_age_seconds outbox_commands_processed_total{status,commandType}
        outbox_commands_rejected_total{commandType,code}
        outbox_commands_dead_lettered_total{commandType} outbox_processing_duration_seconds
        outbox_command_commit_latency_seconds outbox_batch_commands outbox_worker_status
        outbox_worker_active outbox_lease_epoch fabric_transaction_submissions_total{status}
        fabric_reendorsements_total{reason} fabric_transaction_duration_ms circuit_breaker_state
        circuit_breaker_transitions_total{to} circuit_breaker_rejections_total database_up ledger_up
        database_connection_pool_active
        database_connection_pool_max database_connection_pool_waiting
        certificate_expiry_timestamp_seconds{identity}""",
    Process.PROJECTOR: """
        projector_lag_milliseconds projector_lag_blocks projector_events_processed_total{eventType}
        projector_events_failed_total{eventType} projector_event_processing_duration_ms
        projector_processing_duration_seconds projector_checkpoint_block_number
        projector_checkpoint_position projector_worker_status projector_worker_active
        projector_lease_epoch ledger_blockchain_height{channel} reconciliation_difference{kind}
        database_up ledger_up database_connection_pool_active database_connection_pool_max
        database_connection_pool_waiting certificate_expiry_timestamp_seconds{identity}""",
    Process.API: """
        http_requests_total{service,endpoint,method,status}
        http_request_duration_ms{service,endpoint,method} http_request_size_bytes{service,endpoint}
        http_response_size_bytes{service,endpoint} http_wait_duration_ms http_streams_open
        outbox_admissions_refused_total redis_commands_total{command,status} database_up ledger_up
        database_connection_pool_active database_connection_pool_max
        database_connection_pool_waiting""",
    Process.CHAINCODE: """
        chaincode_requests_total{contract,function,status}
        chaincode_request_duration_ms{contract,function} chaincode_streams""",
}
EVERYWHERE: Final = """
    process_cpu_seconds_total process_resident_memory_bytes process_start_time_seconds
    process_cpu_limit_cores process_memory_limit_bytes gx_config_hash"""


def spelled_out(process: Process) -> set[str]:
    """Write a process's metrics as name{labels}."""
    return {
        metric.name + (f"{{{','.join(metric.label_names)}}}" if metric.labels else "")
        for metric in metrics_of(process)
    }


@pytest.mark.parametrize("process", QUOTED_NAMES)
def test_the_quoted_names_are_declared_where_they_belong(process: Process) -> None:
    """Each quoted name is declared, with exactly its labels, for exactly its process."""
    wanted = set(QUOTED_NAMES[process].split()) | set(EVERYWHERE.split())

    assert wanted - spelled_out(process) == set()


def test_the_kind_follows_from_the_name() -> None:
    """`_total` counts; durations, latencies and sizes are histograms; batches are one too."""
    histograms = {metric.name for metric in CATALOGUE if metric.kind is Kind.HISTOGRAM}

    assert "outbox_batch_commands" in histograms
    assert all(
        metric.kind is Kind.COUNTER for metric in CATALOGUE if metric.name.endswith("_total")
    )


def test_every_objective_is_a_bucket_bound() -> None:
    """Within-the-objective is counted exactly: 250, 300, 500, 1000 ms, 5 and 10 s are bounds."""
    bounds_ms = {250, 300, 500, 1000, 5000, 10000}
    for metric in CATALOGUE:
        if metric.kind is Kind.HISTOGRAM and metric.unit is Unit.MILLISECONDS:
            assert bounds_ms <= set(metric.buckets), metric.name
        if metric.kind is Kind.HISTOGRAM and metric.unit is Unit.SECONDS:
            assert {bound / 1000 for bound in bounds_ms} <= set(metric.buckets), metric.name


def test_each_counter_and_histogram_is_moved_by_work_or_by_trouble() -> None:
    """Whoever declares a new one says when it moves; the check after the tour relies on it."""
    moved = [each.metric for each in MOVED_BY_WORK]
    counted = {
        metric.name
        for metric in CATALOGUE
        if metric.kind is not Kind.GAUGE and not (metric.alias_of or metric.by_client_library)
    }

    assert {metric.name for metric in (*moved, *STILL_WITHOUT_TROUBLE)} == counted
    assert not set(moved) & set(STILL_WITHOUT_TROUBLE)
    assert all(set(each.labels) <= set(each.metric.label_names) for each in MOVED_BY_WORK)


def test_the_older_names_are_aliases() -> None:
    """The three older names repeat the metrics that replaced them, one in another unit."""
    aliases = {
        alias.name: (metric.name, alias.alias_divisor)
        for metric in CATALOGUE
        for alias in aliases_of(metric)
    }

    assert aliases == {
        "outbox_queue_depth": ("outbox_pending_commands", 1),
        "projector_processing_duration_seconds": ("projector_event_processing_duration_ms", 1000),
        "projector_checkpoint_position": ("projector_checkpoint_block_number", 1),
    }


def test_only_quoted_names_break_the_rules() -> None:
    """Exceptions are the quoted names, and one new name that is compared with a quoted one."""
    unquoted = {
        metric.name
        for metric in CATALOGUE
        if metric.unit_exception not in {None, "quoted by the original rules"}
    }

    assert unquoted == {"http_wait_duration_ms"}
    assert find_faults(CATALOGUE) == ()
