"""The clients of the HTTP API, as a process of their own that costs as little as it can.

    python -m benchmarks.http_load '{"port": 8000, "token": "…", "connections": 64, …}'

`closed`: every connection sends its next request as soon as it has its answer: how much the API
takes. `open`: requests are due at random moments (a Poisson process) whether or not the API keeps
up, and latency counts from when each was due: how long a client waits. Prepared bytes, one
`data_received` an answer: some 15 us of CPU each. Prints JSON.
"""

import asyncio
import random
import sys
import time
from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, cast

import msgspec
import uvloop
from typing_extensions import override

from benchmarks.figures import Percentiles, percentiles_ms
from benchmarks.programs import run_program
from benchmarks.transfers import ACCOUNTS, AMOUNT, REMARK, account, random_transfers

ANSWER_END_S: Final = 20.0
"""How long the answers to the last requests may take."""

TICK_S: Final = 0.001
_HEAD_END: Final = b"\r\n\r\n"
_LENGTH: Final = b"content-length: "


class LoadPlan(msgspec.Struct, frozen=True, kw_only=True):
    """What to send. Without a `rate_per_s` the loop is closed. `warm_up_s` is not counted.

    A closed loop with `requests_max` ends when so many were sent, or earlier.
    """

    port: int
    token: str
    seed: int
    duration_s: float
    connections: int = 64
    warm_up_s: float = 0.0
    rate_per_s: float = 0.0
    reads_per_s: float = 0.0
    requests_max: int = 2**62
    accounts: int = ACCOUNTS


class LoadResult(msgspec.Struct, frozen=True, kw_only=True):
    """What came of it: answers counted by status, rates and latencies of those accepted."""

    accepted: int
    seconds: float
    accepted_per_s: float
    statuses: dict[str, int]
    accept: Percentiles
    read: Percentiles | None
    cpu_us_per_request: float
    waiting_max: int


@dataclass(slots=True)
class Tally:
    """Answers as they come. Nothing that was due before `from_s` is counted as a latency."""

    from_s: float = 0.0
    accepted: int = 0
    accepted_later: int = 0
    last_s: float = 0.0
    statuses: Counter[str] = field(default_factory=Counter)
    accept_s: list[float] = field(default_factory=list)
    read_s: list[float] = field(default_factory=list)

    def add(self, status: bytes, due_s: float, *, is_read: bool) -> None:
        """Take in one answer."""
        now_s = time.perf_counter()
        self.statuses[status.decode()] += 1
        if status != (b"200" if is_read else b"202"):
            return
        self.accepted += not is_read
        if due_s >= self.from_s:
            self.last_s = now_s
            self.accepted_later += not is_read
            (self.read_s if is_read else self.accept_s).append(now_s - due_s)


class Requests:
    """Complete requests as bytes."""

    def __init__(self, plan: LoadPlan) -> None:
        head = f"Host: 127.0.0.1:{plan.port}\r\nAuthorization: Bearer {plan.token}\r\n"
        self._post = f"POST /api/v1/transfers HTTP/1.1\r\n{head}Content-Type: application/json\r\n"
        self._read_head = head
        self._transfers = random_transfers(plan.seed, plan.accounts)
        self._accounts = plan.accounts
        self._dice = random.Random(plan.seed)  # noqa: S311 (a benchmark's dice)

    def transfer(self) -> bytes:
        """Write the next transfer."""
        one = next(self._transfers)
        body = (
            f'{{"fromId":"{one.sender}","toId":"{one.receiver}","amount":"{AMOUNT}",'
            f'"remark":"{REMARK}"}}'
        )
        return (
            f"{self._post}X-On-Behalf-Of: {one.sender}\r\nIdempotency-Key: {one.key}\r\n"
            f"Content-Length: {len(body)}\r\n\r\n{body}"
        ).encode()

    def read(self) -> bytes:
        """Write a question for one account's balance."""
        name = account(self._dice.randrange(self._accounts))
        return (
            f"GET /api/v1/wallets/{name}/balance HTTP/1.1\r\n{self._read_head}"
            f"X-On-Behalf-Of: {name}\r\n\r\n"
        ).encode()


class Client(asyncio.Protocol):
    """One kept-alive connection; `on_free` is called when it may send again."""

    def __init__(self, load: "Load") -> None:
        self._load = load
        self._transport: asyncio.WriteTransport | None = None
        self._answer = b""
        self._due_s = 0.0
        self._is_read = False

    def send(self, request: bytes, due_s: float, *, is_read: bool) -> None:
        """Send a request that was due then."""
        assert self._transport is not None
        self._due_s, self._is_read = due_s, is_read
        self._transport.write(request)

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.WriteTransport", transport)  # uvloop's is no subclass

    @override
    def data_received(self, data: bytes) -> None:
        self._answer = self._answer + data if self._answer else data
        if not _is_complete(self._answer):
            return
        status, self._answer = self._answer[9:12], b""
        self._load.tally.add(status, self._due_s, is_read=self._is_read)
        self._load.on_free(self)

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self._load.lost += 1


def _is_complete(answer: bytes) -> bool:
    end = answer.find(_HEAD_END)
    if end < 0:
        return False
    start = answer.find(_LENGTH) + len(_LENGTH)
    return len(answer) >= end + 4 + int(answer[start : answer.index(b"\r", start)])


class Load:
    """The connections and what they send."""

    def __init__(self, plan: LoadPlan) -> None:
        self.plan = plan
        self.tally = Tally()
        self.requests = Requests(plan)
        self.clients: list[Client] = []
        self.idle: deque[Client] = deque()
        self.waiting: deque[tuple[float, bool]] = deque()
        self.waiting_max = 0
        self.lost = 0
        self.sent = 0
        self.end_s = 0.0
        self.is_open = plan.rate_per_s > 0

    async def run(self) -> LoadResult:
        """Send for as long as was planned, and wait for the answers."""
        loop = asyncio.get_running_loop()
        for _ in range(self.plan.connections):
            _, client = await loop.create_connection(
                lambda: Client(self), "127.0.0.1", self.plan.port
            )
            self.clients.append(client)
        begin_s = time.perf_counter()
        self.tally.from_s = begin_s + self.plan.warm_up_s
        self.end_s = self.tally.from_s + self.plan.duration_s
        cpu_s = time.process_time()
        await (self._run_open(begin_s) if self.is_open else self._run_closed())
        await self._until_answered()
        return self._result(time.process_time() - cpu_s)

    def on_free(self, client: Client) -> None:
        """Send the connection's next request, if there is one."""
        if self.is_open:
            self.idle.append(client)
            self._send_waiting()
        else:
            self._send_next(client)

    async def _run_closed(self) -> None:
        for client in self.clients:
            self._send_next(client)
        while len(self.idle) < len(self.clients) and time.perf_counter() < self.end_s:  # noqa: ASYNC110 - an event would cost every answer
            await asyncio.sleep(0.005)

    def _send_next(self, client: Client) -> None:
        now_s = time.perf_counter()
        if now_s < self.end_s and self.sent < self.plan.requests_max:
            self.sent += 1
            client.send(self.requests.transfer(), now_s, is_read=False)
        else:
            self.idle.append(client)

    async def _run_open(self, begin_s: float) -> None:
        self.idle.extend(self.clients)
        due = _merged(
            _moments(self.plan.rate_per_s, begin_s, self.plan.seed),
            _moments(self.plan.reads_per_s, begin_s, self.plan.seed + 1),
        )
        for due_s, is_read in due:
            if due_s > self.end_s:
                return
            await _until(due_s)
            self.waiting.append((due_s, is_read))
            self.waiting_max = max(self.waiting_max, len(self.waiting))
            self._send_waiting()
            if not self.idle:
                await asyncio.sleep(0)

    def _send_waiting(self) -> None:
        while self.waiting and self.idle:
            due_s, is_read = self.waiting.popleft()
            request = self.requests.read() if is_read else self.requests.transfer()
            self.idle.popleft().send(request, due_s, is_read=is_read)

    async def _until_answered(self) -> None:
        async with asyncio.timeout(ANSWER_END_S):
            while self._is_owed_answers():  # noqa: ASYNC110 - an event would cost every answer
                await asyncio.sleep(0.005)

    def _is_owed_answers(self) -> bool:
        return bool(self.waiting) or len(self.idle) + self.lost < len(self.clients)

    def _result(self, cpu_s: float) -> LoadResult:
        tally = self.tally
        if tally.accepted == 0:
            raise SystemExit(f"nothing was accepted: {dict(tally.statuses)}, lost {self.lost}")
        seconds = tally.last_s - tally.from_s
        return LoadResult(
            accepted=tally.accepted,
            seconds=seconds,
            accepted_per_s=tally.accepted_later / seconds,
            statuses=dict(tally.statuses),
            accept=percentiles_ms(tally.accept_s),
            read=percentiles_ms(tally.read_s) if tally.read_s else None,
            cpu_us_per_request=cpu_s / sum(tally.statuses.values()) * 1e6,
            waiting_max=self.waiting_max,
        )


async def _until(due_s: float) -> None:
    """Wait for a moment; those that are less than a tick apart come together."""
    early_s = due_s - time.perf_counter()
    if early_s > 0:
        await asyncio.sleep(max(early_s, TICK_S))


def _moments(rate_per_s: float, begin_s: float, seed: int) -> Iterator[float]:
    """Draw the moments of a Poisson process."""
    dice = random.Random(seed)  # noqa: S311 (a benchmark's dice)
    due_s = begin_s
    while rate_per_s > 0:
        due_s += dice.expovariate(rate_per_s)
        yield due_s


def _merged(writes: Iterator[float], reads: Iterator[float]) -> Iterator[tuple[float, bool]]:
    """Put two endless or empty sequences of moments in order; True is a read."""
    write_s, read_s = next(writes, None), next(reads, None)
    while write_s is not None:
        if read_s is not None and read_s < write_s:
            yield read_s, True
            read_s = next(reads, None)
        else:
            yield write_s, False
            write_s = next(writes, None)


async def run_load(plan: LoadPlan) -> LoadResult:
    """Run the load in a process of its own and return what came of it."""
    ended = await run_program(
        (sys.executable, "-m", "benchmarks.http_load", msgspec.json.encode(plan).decode())
    )
    if ended.status != 0:
        raise RuntimeError(f"the load failed: {ended.errors.decode()[-1_500:]}")
    return msgspec.json.decode(ended.output, type=LoadResult)


def main() -> None:
    """Be the load process."""
    plan = msgspec.json.decode(sys.argv[1], type=LoadPlan)
    print(msgspec.json.encode(uvloop.run(Load(plan).run())).decode())


if __name__ == "__main__":
    main()
