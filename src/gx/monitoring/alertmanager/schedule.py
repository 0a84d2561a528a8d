"""When people work, and when somebody is on call: the two together are the whole week."""

from typing import Final

from gx.monitoring.alertmanager.model import (
    DAY_MINUTES,
    WEEKEND,
    WORKING_DAYS,
    Span,
    TimeInterval,
)

OFFICE_HOURS: Final = "office-hours"
ON_CALL_HOURS: Final = "on-call-hours"


def build_schedule(
    *, start_minute: int, end_minute: int, time_zone: str
) -> tuple[TimeInterval, TimeInterval]:
    """Return the office hours of Monday to Friday, and everything else as the hours on call.

    Raises:
        ValueError: The hours are empty or pass midnight.
    """
    office = Span(days=WORKING_DAYS, start_minute=start_minute, end_minute=end_minute)
    mornings = Span(days=WORKING_DAYS, end_minute=start_minute) if start_minute else None
    evenings = (
        Span(days=WORKING_DAYS, start_minute=end_minute) if end_minute < DAY_MINUTES else None
    )
    rest = tuple(span for span in (mornings, evenings) if span is not None)
    return (
        TimeInterval(name=OFFICE_HOURS, spans=(office,), time_zone=time_zone),
        TimeInterval(name=ON_CALL_HOURS, spans=(*rest, Span(days=WEEKEND)), time_zone=time_zone),
    )
