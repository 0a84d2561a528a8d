"""Processes asked from here, as a scrape would ask them: with no Prometheus in between."""

from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Final
from urllib.parse import urlsplit, urlunsplit

import httpx

from gx.proof.causes import Cause, Finding
from gx.proof.doctor.look import Seen, is_open, look_at
from gx.proof.doctor.remedies import ADVICE
from gx.proof.prometheus import parse_samples

_USUAL_PATH: Final = "/metrics"
_EXCERPT_CHARS: Final = 80
_AT_ONCE: Final = 8
_STATUSES: Final[Mapping[int, Cause]] = {
    httpx.codes.UNAUTHORIZED: Cause.AUTHENTICATION,
    httpx.codes.FORBIDDEN: Cause.AUTHENTICATION,
    httpx.codes.NOT_FOUND: Cause.PATH,
    httpx.codes.METHOD_NOT_ALLOWED: Cause.PATH,
    # A server of TLS says so to whom asks in the clear.
    httpx.codes.BAD_REQUEST: Cause.TLS,
}


def examine_processes(urls: Iterable[str]) -> Iterator[Finding]:
    """Yield each address that does not answer with metrics, and why as far as it shows from here.

    All are asked at once: one that hangs keeps only itself waiting.
    """
    with ThreadPoolExecutor(max_workers=_AT_ONCE) as pool:
        for found in pool.map(_examine, urls):
            if found is not None:
                yield found


def _examine(url: str) -> Finding | None:
    seen = look_at(url)
    if seen.status is None:
        return _unanswered(url)
    text = f"from here: {seen.status}, {seen.content_type or 'no content type'}"
    if seen.status != httpx.codes.OK:
        return _refused(url, seen, text)
    if seen.is_metrics:
        return None
    return _no_metrics(url, seen, text)


def _unanswered(url: str) -> Finding:
    """Tell a closed port, the other scheme and a process that hangs apart."""
    if not is_open(url):
        return _found(url, Cause.PROCESS_DOWN, "no connection is taken from here")
    parts = urlsplit(url)
    other = "http" if parts.scheme == "https" else "https"
    seen = look_at(urlunsplit(parts._replace(scheme=other)))
    if seen.status is not None:
        return _found(url, Cause.TLS, f"{other} answers with {seen.status}", fix=f"scheme: {other}")
    return Finding(
        cause=Cause.NO_ANSWER,
        where=url,
        what="it takes connections and answers nothing: it hangs, or breaks them off",
        evidence=("neither http nor https answers from here",),
        fix="see in its log what it waits for, and start it again",
    )


def _refused(url: str, seen: Seen, text: str) -> Finding:
    status = seen.status or 0
    is_redirect = httpx.codes.is_redirect(status)
    cause = Cause.PATH if is_redirect else _STATUSES.get(status, Cause.SERVER_ERROR)
    if cause is Cause.TLS:
        parts = urlsplit(url)
        other = look_at(urlunsplit(parts._replace(scheme="https")))
        if parts.scheme == "https" or other.status is None:
            cause = Cause.SERVER_ERROR
    found = _elsewhere(url, text) if cause is Cause.PATH else None
    return found or _found(url, cause, text)


def _no_metrics(url: str, seen: Seen, text: str) -> Finding | None:
    beginning = seen.beginning.lstrip()
    if not beginning:
        return Finding(
            cause=Cause.EXPORTS_NOTHING,
            where=url,
            what="it answers, with no sample at all",
            evidence=(text,),
            fix="see that the process registers its metrics on the port that is scraped",
        )
    if _has_samples(beginning):
        return None
    shown = f"{text}, {beginning[:_EXCERPT_CHARS]!r}"
    return _elsewhere(url, shown) or _found(url, Cause.NOT_METRICS, shown)


def _has_samples(text: str) -> bool:
    """Say whether an answer without HELP and TYPE is an exposition all the same."""
    whole, _, _ = text.rpartition("\n")  # the beginning of a long answer ends within a line
    try:
        return bool(parse_samples(f"{whole}\n"))
    except ValueError:
        return False


def _elsewhere(url: str, text: str) -> Finding | None:
    """Look whether the usual path of the same address has the metrics."""
    parts = urlsplit(url)
    if parts.path == _USUAL_PATH:
        return None
    if not look_at(urlunsplit(parts._replace(path=_USUAL_PATH, query=""))).is_metrics:
        return None
    usual = f"{_USUAL_PATH} of the same address answers with metrics"
    return _found(url, Cause.PATH, text, usual, fix=f"metrics_path: {_USUAL_PATH}")


def _found(url: str, cause: Cause, *evidence: str, fix: str = "") -> Finding:
    advice = ADVICE[cause]
    return Finding(
        cause=cause, where=url, what=advice.what, evidence=evidence, fix=fix or advice.fix
    )
