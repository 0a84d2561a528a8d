"""The state machine, held to a second one that is written as Prometheus' own is: step by step."""

from hypothesis import given
from hypothesis import strategies as st

from gx.proof.backtest.states import Evaluations, Firing, firings

STEP_S = 15
SPANS = st.lists(st.booleans(), min_size=1, max_size=80)
DURATIONS = st.integers(min_value=0, max_value=200)


def _stepwise(held: list[bool], *, for_s: int, keep_firing_s: int) -> list[bool]:
    """Say at which evaluations it fires, as rules/alerting.go decides it."""
    active_s = lost_s = None
    fired, firing = list[bool](), False
    for number, holds in enumerate(held):
        at_s = number * STEP_S
        if holds:
            lost_s = None
            if active_s is None:
                active_s, firing = at_s, False
            firing = firing or at_s - active_s >= for_s
        elif firing and keep_firing_s:
            lost_s = at_s if lost_s is None else lost_s
            if at_s - lost_s >= keep_firing_s:
                active_s, firing, lost_s = None, False, None
        else:
            active_s, firing = None, False
        fired.append(firing)
    return fired


def _firing_at(found: tuple[Firing, ...], count: int) -> list[bool]:
    return [
        any(each.start_s <= number * STEP_S < each.end_s for each in found)
        for number in range(count)
    ]


@given(held=SPANS, for_s=DURATIONS, keep_firing_s=DURATIONS)
def test_it_fires_when_prometheus_would(held: list[bool], for_s: int, keep_firing_s: int) -> None:
    """Whatever `for` and `keep_firing_for` are, multiples of the step or not."""
    times_s = [number * STEP_S for number, holds in enumerate(held) if holds]
    evaluations = Evaluations(start_s=0, end_s=(len(held) - 1) * STEP_S, step_s=STEP_S)

    found = firings(times_s, evaluations, for_s=for_s, keep_firing_s=keep_firing_s)

    expected = _stepwise(held, for_s=for_s, keep_firing_s=keep_firing_s)
    assert _firing_at(found, len(held)) == expected
    assert all(each.length_s > 0 for each in found)
    assert sum(each.length_s for each in found) == sum(expected) * STEP_S


@given(held=SPANS, for_s=DURATIONS)
def test_only_the_last_firing_is_open(held: list[bool], for_s: int) -> None:
    """What still fires at the last evaluation has not ended; nothing before it is open."""
    times_s = [number * STEP_S for number, holds in enumerate(held) if holds]
    evaluations = Evaluations(start_s=0, end_s=(len(held) - 1) * STEP_S, step_s=STEP_S)

    found = firings(times_s, evaluations, for_s=for_s, keep_firing_s=0)

    assert not any(each.is_open for each in found[:-1])
    assert not found or found[-1].is_open is (found[-1].end_s == len(held) * STEP_S)
