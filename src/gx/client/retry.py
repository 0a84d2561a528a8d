"""When a failed request is sent again, and how long to wait before: pure decisions."""

from dataclasses import dataclass
from http import HTTPStatus
from math import ldexp
from typing import Final

BUSY: Final = frozenset({HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE})
"""The API says that it did nothing and would like to be asked later."""

GATEWAY: Final = frozenset({HTTPStatus.BAD_GATEWAY, HTTPStatus.GATEWAY_TIMEOUT})
"""A proxy lost the answer: the request may have taken effect."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """Exponential backoff with full jitter, bounded in number and in time."""

    attempts_max: int = 8
    delay_first_s: float = 0.1
    delay_max_s: float = 5.0
    retry_after_max_s: float = 30.0
    """A longer Retry-After is not waited for: the caller learns of it at once."""

    def delay_s(self, attempt: int, *, retry_after_s: float, fraction: float) -> float | None:
        """Say how long to wait after failed attempt number `attempt` (1 is the first).

        `fraction` is a random number from 0 to 1: full jitter keeps clients that failed together
        from coming back together (aws.amazon.com/builders-library, "Timeouts, retries, and
        backoff with jitter"). None means: give up.
        """
        if attempt >= self.attempts_max or retry_after_s > self.retry_after_max_s:
            return None
        ceiling_s = min(self.delay_max_s, ldexp(self.delay_first_s, attempt - 1))
        return retry_after_s + ceiling_s * fraction


DEFAULT_POLICY: Final = RetryPolicy()


def may_repeat(status: int, *, is_repeatable: bool) -> bool:
    """Tell whether an answer with this status may be asked for again.

    `is_repeatable` says that the request changes nothing when it arrives twice: it reads, or
    carries an idempotency key.
    """
    return status in BUSY or (is_repeatable and status in GATEWAY)


def parse_retry_after_s(header: str | None) -> float:
    """Read `Retry-After` in seconds; a missing or unreadable one (a date) is 0."""
    text = (header or "").strip()
    return float(text) if text.isascii() and text.isdigit() else 0.0
