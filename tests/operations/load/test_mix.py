"""Mixes: read strictly, spread evenly."""

import itertools
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gx.operations.load.mix import DEFAULT_MIX, Kind, MixError, parse_mix
from gx.operations.load.plan import LoadPlan, LoadRefusedError


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "names ''"),
        ("transfers=1", "transfer, mint"),
        ("transfer", "whole weights"),
        ("transfer=", "whole weights"),
        ("transfer=-1", "whole weights"),
        ("transfer=1.5", "whole weights"),
        ("transfer=1,transfer=2", "twice"),
        ("transfer=0", "sum to 1 to"),
        ("transfer=9000,mint=1001", "sum to 1 to"),
    ],
    ids=str,
)
def test_a_mix_that_is_none_is_refused(text: str, complaint: str) -> None:
    """The message says what is wrong and what is possible."""
    with pytest.raises(MixError, match=complaint):
        parse_mix(text)


WEIGHTS = st.dictionaries(st.sampled_from(list(Kind)), st.integers(1, 40), min_size=1)


@given(weights=WEIGHTS, turns=st.integers(1, 5))
def test_the_proportions_are_exact(weights: dict[Kind, int], turns: int) -> None:
    """Over whole turns each kind has its share, and counting agrees with the sequence."""
    mix = parse_mix(",".join(f"{kind}={weight}" for kind, weight in weights.items()))
    total = turns * sum(weights.values())

    counted = Counter(mix.kind_at(index) for index in range(total))

    assert counted == {kind: turns * weight for kind, weight in weights.items()}
    assert all(mix.count_of(kind, total) == counted[kind] for kind in Kind)


@given(weights=WEIGHTS, total=st.integers(0, 300))
def test_a_part_of_a_turn_is_counted_right(weights: dict[Kind, int], total: int) -> None:
    """What is prepared for a run is what the run asks for, wherever it ends."""
    mix = parse_mix(",".join(f"{kind}={weight}" for kind, weight in weights.items()))

    counted = Counter(mix.kind_at(index) for index in range(total))

    assert all(mix.count_of(kind, total) == counted[kind] for kind in Kind)


def test_kinds_are_interleaved() -> None:
    """A rare kind comes regularly, not in a block at the end."""
    mix = parse_mix(DEFAULT_MIX)

    mints = [index for index, kind in enumerate(mix.cycle * 2) if kind is Kind.MINT]

    gaps = [later - earlier for earlier, later in itertools.pairwise(mints)]
    assert max(gaps) <= 15


@pytest.mark.parametrize(
    ("rate", "duration", "complaint"),
    [
        (0, 10, "rate must be more than 0"),
        (-5, 10, "rate"),
        (20_001, 1, "at most 20000"),
        (float("nan"), 10, "rate"),
        (float("inf"), 10, "rate"),
        (1, 86_401, "duration"),
        (20_000, 101, "number of requests"),
        (0.1, 1, "number of requests"),
    ],
    ids=str,
)
def test_a_run_is_bounded(rate: float, duration: float, complaint: str) -> None:
    """Everything has a limit, and the message names it."""
    with pytest.raises(LoadRefusedError, match=complaint):
        LoadPlan(rate_per_s=rate, duration_s=duration, mix=parse_mix(DEFAULT_MIX))
