"""Problems: every code and every failure of ours has one, and each has the standard's form."""

import importlib
import pkgutil

import pytest

import gx
from gx.api.problems import PROBLEM_TYPES, Problem, problem_of
from gx.domain.errors import GxError
from gx.domain.identifiers import BlockNumber, CommandId, TransactionId
from gx.domain.refusals import RefusalCode, RefusedError
from gx.domain.roles import TokenRole
from gx.ledger.errors import CommitError, CorruptBlockError, LedgerUnavailableError
from gx.ledger.ports import ValidationCode
from gx.outbox.ports import BacklogFullError, CommandGoneError
from tests.api.parts import Backend, a_command_id

SECRET = "postgresql://gx:secret@db.internal/gx"


def every_error() -> list[type[GxError]]:
    """Find every kind of error that this project raises on purpose."""
    for module in pkgutil.walk_packages(gx.__path__, "gx."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    found: list[type[GxError]] = []
    waiting = [GxError]
    while waiting:
        kind = waiting.pop()
        found.append(kind)
        waiting.extend(kind.__subclasses__())
    return sorted(set(found), key=lambda kind: (kind.__module__, kind.__name__))


def test_every_code_has_a_status_and_a_title() -> None:
    """A new code needs its line, and statuses are errors' statuses."""
    assert set(PROBLEM_TYPES) == set(RefusalCode)
    assert all(400 <= kind.status <= 599 for kind in PROBLEM_TYPES.values())
    assert all(kind.title for kind in PROBLEM_TYPES.values())


def test_titles_tell_codes_apart() -> None:
    """No two codes have one title."""
    titles = [kind.title for kind in PROBLEM_TYPES.values()]
    assert len(set(titles)) == len(titles)


def test_every_error_of_ours_becomes_a_problem() -> None:
    """Whatever is raised behind the edge has a code, and its text stays behind the edge."""
    for kind in every_error():
        if issubclass(kind, RefusedError | BacklogFullError | CommandGoneError):
            continue  # their words are for the client: the tests below
        error = kind.__new__(kind)
        error.args = (SECRET,)

        problem = problem_of(error)

        assert problem.code in {RefusalCode.UNAVAILABLE, RefusalCode.INTERNAL_ERROR}, kind
        assert problem.status >= 500, kind
        assert "secret" not in problem.detail, kind


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (RefusedError(RefusalCode.USER_NOT_FOUND, "no alice"), RefusalCode.USER_NOT_FOUND),
        (BacklogFullError(oldest_age_ms=1, retry_after_s=1), RefusalCode.BACKLOG_FULL),
        (CommandGoneError(CommandId(a_command_id(1))), RefusalCode.GONE),
        (LedgerUnavailableError("no endpoint"), RefusalCode.UNAVAILABLE),
        (
            CommitError(TransactionId("ab"), ValidationCode.MVCC_READ_CONFLICT),
            RefusalCode.UNAVAILABLE,
        ),
        (CorruptBlockError(BlockNumber(7), "hash"), RefusalCode.UNAVAILABLE),
        (ConnectionResetError(SECRET), RefusalCode.UNAVAILABLE),
        (TimeoutError(SECRET), RefusalCode.UNAVAILABLE),
        (KeyError(SECRET), RefusalCode.INTERNAL_ERROR),
        (AssertionError(SECRET), RefusalCode.INTERNAL_ERROR),
    ],
    ids=lambda value: type(value).__name__,
)
def test_which_failure_has_which_code(error: Exception, code: RefusalCode) -> None:
    """Refusals keep theirs; what does not answer is unavailable; the rest is our mistake."""
    problem = problem_of(error)

    assert problem.code is code
    assert "secret" not in problem.detail


def test_what_may_be_tried_again_says_when() -> None:
    """Each 503 carries Retry-After."""
    for error in (BacklogFullError(oldest_age_ms=1, retry_after_s=0), ConnectionResetError()):
        headers = problem_of(error).headers
        assert headers is not None
        assert int(headers["Retry-After"]) >= 1


@pytest.mark.parametrize("code", RefusalCode, ids=str)
def test_a_problem_has_the_standards_members(code: RefusalCode) -> None:
    """RFC 9457: type, title, status, detail; the type stands for ever and names the code."""
    wire = Problem(code=code, detail="why").to_wire("req-1")

    assert wire["type"] == f"/problems/{code}"
    assert wire["title"] == PROBLEM_TYPES[code].title
    assert wire["status"] == PROBLEM_TYPES[code].status
    assert (wire["code"], wire["detail"], wire["requestId"]) == (code, "why", "req-1")


@pytest.mark.parametrize("code", RefusalCode, ids=str)
async def test_a_problems_type_can_be_looked_up(backend: Backend, code: RefusalCode) -> None:
    """The relative reference leads to what the code means."""
    async with backend.anonymous() as client:
        response = await client.get(f"/problems/{code}")

    assert response.status_code == 200
    assert response.json()["title"] == PROBLEM_TYPES[code].title


async def test_an_unknown_problem_is_itself_one(backend: Backend) -> None:
    """404, in the form of a problem."""
    async with backend.anonymous() as client:
        response = await client.get("/problems/NONSENSE")

    assert (response.status_code, response.json()["code"]) == (404, "NOT_FOUND")


@pytest.mark.parametrize(
    ("method", "path", "code"),
    [
        ("GET", "/", "NOT_FOUND"),
        ("GET", "/metrics", "NOT_FOUND"),
        ("GET", "/api/v1/transfers/", "NOT_FOUND"),
        ("GET", "/docs", "NOT_FOUND"),
        ("GET", "/api/v1/transfers", "METHOD_NOT_ALLOWED"),
        ("DELETE", "/api/v1/users/alice", "METHOD_NOT_ALLOWED"),
        ("BREW", "/api/v1/transfers", "METHOD_NOT_ALLOWED"),
    ],
)
async def test_what_no_route_takes_is_a_problem_too(
    backend: Backend, method: str, path: str, code: str
) -> None:
    """Also where no handler of ours ever saw the request."""
    async with backend.anonymous() as client:
        response = await client.request(method, path)

    is_method = code == "METHOD_NOT_ALLOWED"
    assert (response.status_code, response.json()["code"]) == (405 if is_method else 404, code)
    assert response.headers["content-type"] == "application/problem+json"
    assert ("allow" in response.headers) is is_method


async def test_every_answer_bears_the_security_headers(backend: Backend) -> None:
    """Good or bad: not to be sniffed, framed, cached or sent on, and with a request id."""
    async with backend.anonymous() as client:
        answers = [
            await client.get("/livez"),
            await client.get("/openapi.json"),
            await client.get("/nowhere"),
            await client.post("/api/v1/transfers"),
        ]

    for answer in answers:
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
        assert answer.headers["x-request-id"]


async def test_head_is_answered_as_get_without_its_body(backend: Backend) -> None:
    """RFC 9110: whoever takes GET takes HEAD, with the same headers; probes count too."""
    for path, status in (("/openapi.json", 200), ("/livez", 200), ("/nowhere", 404)):
        headers = {"X-Request-Id": "same"}
        async with backend.anonymous() as client:
            full = await client.get(path, headers=headers)
            head = await client.head(path, headers=headers)
        assert (head.status_code, head.content) == (full.status_code, b"")
        assert head.status_code == status
        assert dict(head.headers) == dict(full.headers)


async def test_a_refused_method_is_told_those_that_work(backend: Backend) -> None:
    """The header and the text agree, and HEAD is among them where GET is."""
    async with backend.anonymous() as client:
        response = await client.delete("/openapi.json")
    assert response.headers["allow"] == "GET, HEAD"
    assert response.json()["detail"] == "this path takes GET, HEAD"


async def test_a_path_that_is_read_and_written_allows_both(backend: Backend) -> None:
    """Two routes have one path: whoever is refused is told the methods of both."""
    async with backend.client() as client:
        response = await client.delete("/api/v1/users/alice/relationships")

    assert (response.status_code, response.headers["allow"]) == (405, "GET, HEAD, POST")


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "DELETE"])
async def test_a_whole_path_is_not_mistaken_for_an_id(backend: Backend, method: str) -> None:
    """`/commands/query` takes POST alone, though `/commands/{commandId}` would match it."""
    async with backend.client("ops", TokenRole.ADMIN) as client:
        response = await client.request(method, "/api/v1/commands/query")

    assert (response.status_code, response.headers["allow"]) == (405, "POST")
