"""The sink: it keeps what fits and refuses what the real service would refuse."""

import json

import httpx
import pytest

from gx.proof.sink import PAGERDUTY_PATH, Sink, SinkTimeoutError

SLACK = {
    "channel": "#gx",
    "attachments": [{"title": "t", "text": "x", "fallback": "f", "color": "good"}],
}
EVENT = {
    "routing_key": "key",
    "dedup_key": "one",
    "event_action": "trigger",
    "payload": {"summary": "s", "source": "test", "severity": "critical"},
}


def post(url: str, body: object) -> httpx.Response:
    """Post JSON, past every proxy."""
    return httpx.post(url, json=body, trust_env=False, timeout=10)


def test_each_service_s_shape_is_kept_apart() -> None:
    """Slack is answered 200, PagerDuty 202; each body can be read as what it is."""
    with Sink() as sink:
        assert post(sink.slack_url("a"), SLACK).status_code == 200
        assert post(sink.pagerduty_url, EVENT).status_code == 202
        assert post(sink.webhook_url("b"), {"anything": True}).status_code == 200

        assert [message.title for message in sink.slack] == ["t"]
        assert [event.payload.severity for event in sink.pagerduty] == ["critical"]
        assert [each.path for each in sink.received] == ["/slack/a", "/v2/enqueue", "/webhook/b"]
        assert sink.faults == ()
        sink.clear()
        assert sink.received == ()


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"event_action": "shout"}, "no such action"),
        ({"routing_key": ""}, "a key is missing"),
        ({"payload": {"summary": "s", "source": "t", "severity": "page"}}, "no such severity"),
        ({"payload": {"summary": "", "source": "t", "severity": "info"}}, "summary has 0"),
        ({"payload": "text"}, "Expected `object`"),
    ],
)
def test_what_pagerduty_would_refuse_is_refused(change: dict[str, object], fault: str) -> None:
    """And kept as a fault, so that a test can see it."""
    with Sink() as sink:
        assert post(sink.pagerduty_url, EVENT | change).status_code == 400
        assert fault in sink.faults[0]
        assert sink.pagerduty == ()


def test_a_message_without_anything_in_it_is_refused() -> None:
    """Slack shows nothing of it."""
    with Sink() as sink:
        assert post(sink.slack_url(), {"attachments": []}).status_code == 400
        assert sink.slack == ()


def test_a_body_that_is_no_text_is_refused() -> None:
    """Bytes outside of UTF-8 are answered and kept as a fault, like any other wrong body."""
    with Sink() as sink:
        answer = httpx.post(sink.slack_url(), content=b'{"text": "\xff"}', trust_env=False)
        assert answer.status_code == 400
        assert len(sink.faults) == 1


def test_it_refuses_on_purpose_until_told_otherwise() -> None:
    """Only below the path that is named; what was refused is not counted as taken."""
    with Sink() as sink:
        sink.refuse(PAGERDUTY_PATH, 429)
        assert post(sink.pagerduty_url, EVENT).status_code == 429
        assert post(sink.slack_url(), SLACK).status_code == 200
        assert (sink.pagerduty, len(sink.received)) == ((), 2)

        sink.accept(PAGERDUTY_PATH)
        assert post(sink.pagerduty_url, EVENT).status_code == 202


def test_waiting_in_vain_says_what_did_arrive() -> None:
    """Whoever reads a failed drill wants to know what was sent instead."""
    with Sink() as sink:
        post(sink.slack_url(), SLACK)
        with pytest.raises(SinkTimeoutError, match=r"the page did not arrive .* \['t'\]"):
            sink.wait_for(lambda: False, timeout_s=0.05, what="the page")


def test_its_numbers_are_json() -> None:
    """A body is kept byte for byte."""
    with Sink() as sink:
        post(sink.webhook_url(), {"n": 1})
        assert json.loads(sink.received[0].body) == {"n": 1}
