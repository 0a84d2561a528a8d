"""An empty panel: idle, too early to tell, or broken."""

from dataclasses import replace
from typing import Final

import pytest

from gx.monitoring.dashboards.backend import LAG
from gx.monitoring.dashboards.live import LiveQuery, Verdict, without_data
from gx.monitoring.dashboards.model import Query
from gx.telemetry.metric import Condition

DAY_S: Final = 86_400.0
ALWAYS: Final = LAG.queries[0]
UNDER_TRAFFIC: Final = replace(ALWAYS, needs_traffic=True)
CACHED: Final = replace(ALWAYS, condition=Condition.REDIS)
RECORDED: Final = replace(ALWAYS, recorded_every_s=300)


def row(query: Query, *values: float, up_s: float = DAY_S) -> LiveQuery:
    """An answer to a query of a panel."""
    return LiveQuery(panel=LAG, query=query, values=values, up_s=up_s)


@pytest.mark.parametrize(
    ("answer", "verdict", "fails_at_rest", "fails_when_busy"),
    [
        pytest.param(row(ALWAYS, 0.0), Verdict.DATA, False, False, id="zero is a number"),
        pytest.param(row(ALWAYS), Verdict.MISSING, True, True, id="nothing"),
        pytest.param(row(UNDER_TRAFFIC), Verdict.IDLE, False, True, id="needs traffic"),
        pytest.param(row(RECORDED, up_s=200), Verdict.NOT_YET, False, False, id="not yet recorded"),
        pytest.param(row(RECORDED), Verdict.MISSING, True, True, id="never recorded"),
        pytest.param(row(CACHED), Verdict.EXCUSED, False, False, id="of what is not there"),
        pytest.param(row(CACHED, 1.0), Verdict.DATA, False, False, id="of what is there"),
        pytest.param(
            replace(row(CACHED), conditions=frozenset({Condition.REDIS})),
            Verdict.MISSING,
            True,
            True,
            id="of what should say it",
        ),
    ],
)
def test_an_empty_answer_means_what_its_query_declares(
    answer: LiveQuery, verdict: Verdict, *, fails_at_rest: bool, fails_when_busy: bool
) -> None:
    """Only what is declared to need traffic may be empty, and only without traffic."""
    assert answer.verdict is verdict
    assert bool(without_data([answer], is_busy=False)) is fails_at_rest
    assert bool(without_data([answer], is_busy=True)) is fails_when_busy


def test_what_lacks_data_is_named_with_its_panel() -> None:
    """An operator finds the picture that is empty."""
    assert without_data([row(ALWAYS)], is_busy=False) == ("Projection Lag: {{namespace}}",)
