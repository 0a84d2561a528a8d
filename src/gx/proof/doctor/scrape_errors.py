"""What Prometheus' words about a failed scrape mean.

The words are those of Prometheus 2.42 to 3; each was seen with the fault made on purpose
(tests/proof/doctor). A refused and an unanswered connection have several causes that only a look
from elsewhere tells apart.
"""

from typing import Final

from gx.proof.causes import Cause

# The first that is found decides: the wrapping of a timeout says `Get "…":`, too.
_WORDS: Final = (
    ("sample limit exceeded", Cause.SAMPLE_LIMIT),
    ("label limit exceeded", Cause.SAMPLE_LIMIT),
    ("label_limit exceeded", Cause.SAMPLE_LIMIT),
    ("body size limit exceeded", Cause.SAMPLE_LIMIT),
    ("no such host", Cause.DNS),
    ("dial tcp: lookup ", Cause.DNS),
    ("server misbehaving", Cause.DNS),
    ("connection refused", Cause.PROCESS_DOWN),
    ("connection reset by peer", Cause.CONNECTION_RESET),
    ("server gave HTTP response to HTTPS client", Cause.TLS),
    ("network is unreachable", Cause.NO_ROUTE),
    ("no route to host", Cause.NO_ROUTE),
    ("i/o timeout", Cause.NO_ANSWER),
    ("tls: ", Cause.TLS),
    ("x509: ", Cause.TLS),
    ("malformed HTTP response", Cause.TLS),
    ("HTTP status 401", Cause.AUTHENTICATION),
    ("HTTP status 403", Cause.AUTHENTICATION),
    ("HTTP status 404", Cause.PATH),
    ("HTTP status 30", Cause.PATH),
    ("HTTP status 405", Cause.PATH),
    ("HTTP status 400", Cause.TLS),
    ("HTTP status ", Cause.SERVER_ERROR),
    ("unsupported Content-Type", Cause.NOT_METRICS),
    ("unsupported content type", Cause.NOT_METRICS),
    ("is not a valid start token", Cause.NOT_METRICS),
    ("expected ", Cause.BAD_EXPOSITION),
    ("strconv.ParseFloat", Cause.BAD_EXPOSITION),
    ("data does not end with # EOF", Cause.BAD_EXPOSITION),
    ("invalid UTF-8", Cause.BAD_EXPOSITION),
    ("invalid metric type", Cause.BAD_EXPOSITION),
    ("unexpected end of", Cause.BAD_EXPOSITION),
    (": EOF", Cause.CONNECTION_RESET),
)
_LATE: Final = "context deadline exceeded"


def classify(error: str) -> Cause:
    """Return what a scrape's last error means by its words alone.

    A deadline that ran out before the answer began is NO_ANSWER; after that, SLOW_HANDLER: only
    the first has the request before it.
    """
    for words, cause in _WORDS:
        if words in error:
            return cause
    if _LATE in error:
        return Cause.NO_ANSWER if error.startswith(("Get ", 'Get "')) else Cause.SLOW_HANDLER
    return Cause.UNKNOWN
