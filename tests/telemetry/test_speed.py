"""What measuring costs. Bounds are the requirement, not the record; the best of many counts."""

import sys
import timeit
from typing import Final

import pytest

from gx.telemetry.families import MetricsRegistry
from gx.telemetry.instruments import build_api_metrics, build_submitter_metrics

# Four times what a free machine takes: only a change of kind breaks them, not a busy neighbour.
INC_US_MAX: Final = 2.0
RENDER_MS_MAX: Final = 80.0
SAMPLES_OF_ONE_SCRAPE_MAX: Final = 5_000
# Many short slices: on a shared machine some of them run undisturbed.
SLICES: Final = 500
CALLS: Final = 1_000
RENDERS: Final = 15

pytestmark = pytest.mark.skipif(
    sys.gettrace() is not None, reason="under a coverage tracer only the tracer is measured"
)

COMMAND_TYPES: Final = tuple(f"COMMAND_TYPE_{number}" for number in range(31))
REFUSAL_CODES: Final = tuple(f"REFUSAL_CODE_{number}" for number in range(65))
ROUTES: Final = tuple((f"/api/v1/resources/{number}", "POST") for number in range(60))


def test_an_increment_costs_no_more_than_a_few_calls() -> None:
    """Counting on the hot path is cheaper than one function call of most libraries."""
    metrics = build_submitter_metrics(
        MetricsRegistry(), command_types=COMMAND_TYPES, refusal_codes=REFUSAL_CODES
    )
    processed = metrics.processed("success", COMMAND_TYPES[0])

    best_s = min(timeit.repeat(processed.inc, number=CALLS, repeat=SLICES))
    assert best_s / CALLS * 1e6 <= INC_US_MAX


def test_a_full_scrape_is_rendered_within_its_budget() -> None:
    """With every command type, code and route of the full system a scrape is quick to write."""
    submitter, api = MetricsRegistry(), MetricsRegistry()
    build_submitter_metrics(submitter, command_types=COMMAND_TYPES, refusal_codes=REFUSAL_CODES)
    build_api_metrics(api, routes=ROUTES, redis_commands=("EVALSHA",))

    for registry in (submitter, api):
        best_s = min(timeit.repeat(registry.render, number=1, repeat=RENDERS))
        assert best_s * 1000 <= RENDER_MS_MAX
        assert 2_000 < registry.render().count(b"\n") < SAMPLES_OF_ONE_SCRAPE_MAX
