"""What is absent for a known reason: nobody scrapes it there, or no target of its job answers."""

import pytest

from gx.monitoring.jobs import JOBS, PROBE_JOB
from gx.proof.excuses import excuse_by_jobs, jobs_of, silence_by_targets
from gx.proof.prometheus import Target
from gx.telemetry.metric import Condition, Process

PROJECTOR = JOBS[Process.PROJECTOR]
SUBMITTER = JOBS[Process.SUBMITTER]
LAG = "projector_lag_milliseconds"


def target(job: str, health: str, **labels: str) -> Target:
    """A target of a job, as Prometheus tells of it."""
    return Target(
        labels={"job": job, **labels},
        discovered_labels={},
        scrape_pool=job,
        scrape_url="http://127.0.0.1:1/metrics",
        health=health,
    )


def test_a_series_of_a_job_that_nobody_has_is_excused() -> None:
    """Where a process is not scraped at all, its metrics are no loss."""
    excuse = excuse_by_jobs([SUBMITTER], [])

    assert excuse(LAG, {}) == f"nobody scrapes {PROJECTOR} here"
    assert excuse("outbox_pending_commands", {}) is None


def test_a_histogram_is_known_by_each_of_its_series() -> None:
    """Buckets, sum and count are one metric's."""
    excuse = excuse_by_jobs([SUBMITTER], [])

    for suffix in ("_bucket", "_sum", "_count"):
        assert excuse(f"projector_event_processing_duration_ms{suffix}", {})


def test_a_series_whose_condition_does_not_hold_is_excused() -> None:
    """Redis' commands are counted where a Redis is configured, and missed only there."""
    jobs = list(JOBS.values())

    assert excuse_by_jobs(jobs, [])("redis_commands_total", {}) == str(Condition.REDIS)
    assert excuse_by_jobs(jobs, [Condition.REDIS])("redis_commands_total", {}) is None


def test_a_matched_job_that_nobody_has_excuses_any_series() -> None:
    """Prometheus' own `up` of a job is there only where the job is."""
    excuse = excuse_by_jobs([SUBMITTER], [])

    assert excuse("up", {"job": PROBE_JOB}) == f"nobody scrapes {PROBE_JOB} here"
    assert excuse("up", {"job": SUBMITTER}) is None
    assert excuse("up", {"job": "another's"}) is None


def test_what_the_catalogue_does_not_know_is_never_excused() -> None:
    """A misspelt name is a fault, whoever is scraped."""
    assert excuse_by_jobs([], [])("outbox_pending_comands", {}) is None
    assert not jobs_of("outbox_pending_comands")


@pytest.mark.parametrize(
    ("name", "job"),
    [
        (LAG, PROJECTOR),
        ("probe_success", PROBE_JOB),
        ("alertmanager_notifications_failed_total", "alertmanager"),
    ],
)
def test_a_series_is_known_by_who_brings_it(name: str, job: str) -> None:
    """Ours by their process, others' by their exporter."""
    assert jobs_of(name) == {job}


def test_a_job_without_an_answering_target_silences_its_series() -> None:
    """All that is wrong with them is that the process does not answer."""
    silence = silence_by_targets([target(PROJECTOR, "down"), target(SUBMITTER, "up")])

    assert silence(LAG, {}) == PROJECTOR
    assert silence("outbox_pending_commands", {}) is None
    assert silence("outbox_pending_comands", {}) is None


def test_a_series_that_another_target_delivers_is_not_silenced() -> None:
    """With one of two replicas, or another process that exports it, something else is wrong."""
    one_of_two = silence_by_targets([target(PROJECTOR, "down"), target(PROJECTOR, "up")])
    another = silence_by_targets([target(PROJECTOR, "down"), target(SUBMITTER, "up")])

    assert one_of_two(LAG, {}) is None
    assert another("database_up", {}) is None


def test_matchers_narrow_down_which_targets_count() -> None:
    """One environment's process hangs: what is asked of that one is silenced, and no more."""
    silence = silence_by_targets(
        [
            target(PROJECTOR, "down", namespace="backend-mainnet"),
            target(PROJECTOR, "up", namespace="backend-testnet"),
        ]
    )

    assert silence(LAG, {"namespace": "backend-mainnet"}) == PROJECTOR
    assert silence(LAG, {"namespace": "backend-testnet"}) is None
    assert silence(LAG, {"namespace": "backend-nowhere"}) is None


def test_a_target_that_was_not_scraped_yet_silences_nothing() -> None:
    """Its first answer is awaited; that is no failure."""
    assert silence_by_targets([target(PROJECTOR, "unknown")])(LAG, {}) is None
