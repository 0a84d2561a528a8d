"""The dashboards of a Grafana against the committed ones."""

import json
from typing import Final

from gx.proof.causes import Cause
from gx.proof.grafana import Grafana
from gx.proof.verify.grafana import verify_dashboards
from gx.proof.verify.rows import Row, State
from tests.proof.doctor.test_dashboards import dashboard, grafana_with

COMMITTED: Final = dashboard("Main")


def verified(stored: dict[str, object], uid: str = "one") -> Row:
    """What is said of a committed dashboard, with another stored."""
    with grafana_with(stored, []) as url:
        (row,) = verify_dashboards(Grafana(url), {uid: json.dumps(COMMITTED)})
    return row


def test_what_grafana_itself_writes_is_no_difference() -> None:
    """It numbers what it stores, and counts its versions."""
    assert verified({**COMMITTED, "id": 7, "version": 3}).state is State.EQUAL


def test_a_dashboard_that_somebody_changed_is_named_with_the_place() -> None:
    """By hand in the browser: the next deployment would undo it, or it would undo the next."""
    row = verified({**COMMITTED, "title": "Mine"})

    assert (row.state, row.cause) == (State.BROKEN, Cause.DASHBOARD_DIFFERS)
    assert row.why == "differs from the committed one at title"


def test_a_dashboard_that_is_not_there_is_named() -> None:
    """Nobody deployed it."""
    row = verified(COMMITTED, uid="two")

    assert (row.state, row.why) == (State.BROKEN, "Grafana has no such dashboard")
