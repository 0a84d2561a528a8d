"""The fast fold of TransferEvent does what the typed fold does, or leaves it alone."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gx.domain.codec import DecodeError, JsonObject, decode_object, encode
from gx.domain.events import CoinsTransferred, Event, parse_event
from gx.projection.changes import Change
from gx.projection.folds import fold
from gx.projection.reduction import Effects
from gx.projection.transfers import fold_transfer
from tests.projection.events import EXAMPLES, PLACE, TRANSFERS

(PLAIN,) = (event for event in EXAMPLES if isinstance(event, CoinsTransferred))

ODD_VALUES: st.SearchStrategy[object] = st.sampled_from(
    (
        *(
            None,
            True,
            0,
            1,
            -1,
            2**64,
            "",
            "0",
            "00",
            "-0",
            "-",
            "+5",
            " 5",
            "5 ",
            "1_0",
            "٣",
            "\0",
        ),
        *("18446744073709551615", "18446744073709551616", "-9223372036854775809", "9" * 5_000),
        *("started", "cleared", "stopped", [], {}, ["x"], 1.0, 1e2, "\ud800", "a\u2028b", "Zoë"),
    )
)


def typed_effects(text: str) -> list[Change] | None:
    """Fold the long way; None if the event cannot be projected."""
    effects = Effects()
    try:
        effects.extend(fold(parse_event(decode_object(text)), PLACE))
    except (DecodeError, ValueError):
        return None
    return list(effects.changes())


def fast_effects(text: str) -> list[Change] | None:
    """Fold the fast way; None if it leaves the event alone."""
    effects = Effects()
    if not fold_transfer(text.encode(errors="surrogatepass"), PLACE, effects):
        assert not effects.size()
        return None
    return list(effects.changes())


def normalised(changes: list[Change]) -> list[str]:
    """Bring effects into one order; two that print alike are alike."""
    return sorted(repr(change) for change in changes)


def require_same(text: str) -> None:
    """Check that the fast way, if it is taken, has the typed way's effects."""
    fast = fast_effects(text)
    if fast is not None:
        typed = typed_effects(text)
        assert typed is not None, "the fast fold took what cannot be projected"
        assert normalised(fast) == normalised(typed)


def test_an_ordinary_transfer_goes_the_fast_way() -> None:
    """Otherwise the fast fold would be of no use, and its proof empty."""
    fast = fast_effects(encode(PLAIN.to_payload()))

    assert fast is not None
    assert normalised(fast) == normalised(typed_effects(encode(PLAIN.to_payload())) or [])


@given(event=TRANSFERS)
def test_any_transfer_has_the_same_effects_both_ways(event: CoinsTransferred) -> None:
    """The two folds agree on whatever the contracts could write."""
    require_same(encode(event.to_payload()))


@given(event=TRANSFERS, odd=ODD_VALUES, data=st.data())
def test_a_broken_transfer_is_never_half_understood(
    event: CoinsTransferred, odd: object, data: st.DataObject
) -> None:
    """Whatever the typed way refuses, the fast way refuses or leaves alone."""
    payload: JsonObject = event.to_payload()
    changes = payload["changes"]
    assert isinstance(changes, list)
    targets = [payload, *(change for change in changes if isinstance(change, dict))]
    target: dict[str, object] = data.draw(st.sampled_from(targets))
    name = data.draw(st.sampled_from([*sorted(target), "unheardOf", "taxTimer"]))
    if data.draw(st.booleans()):
        target[name] = odd
    else:
        target.pop(name, None)

    require_same(json.dumps(payload))


@pytest.mark.parametrize("event", EXAMPLES, ids=lambda event: event.WIRE_NAME)
def test_other_events_are_left_alone(event: Event) -> None:
    """Only TransferEvent goes this way."""
    text = encode(event.to_payload())

    assert (fast_effects(text) is not None) is (event is PLAIN)
