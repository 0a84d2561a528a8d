"""The report of the benchmark, from figures that are made up."""

import msgspec
import pytest

from benchmarks.beside import EVENTSOURCING, PGQUEUER
from benchmarks.chart import render_chart
from benchmarks.figures import Percentiles
from benchmarks.held import HeldSnapshot
from benchmarks.latency_chart import render_latencies
from benchmarks.machine import Machine
from benchmarks.page import render_page
from benchmarks.peers.figures import PeerFigures
from benchmarks.profile import shares
from benchmarks.questions import Effort, OpenLoop, Round
from benchmarks.reading import ReadModelRates
from benchmarks.report import Report
from benchmarks.startup import Startup
from benchmarks.systems import Measured
from benchmarks.wal import Written

PAST = "1,000,000 settled commands"


def latencies(p99_ms: float) -> Percentiles:
    """Latencies with this 99th percentile."""
    return Percentiles(count=100, p50_ms=1.0, p95_ms=p99_ms / 2, p99_ms=p99_ms, max_ms=p99_ms)


def measured(projected_per_s: float) -> Measured:
    """A system that carries so many commands a second, with the ledger as its dearest process."""
    return Measured(
        accepted_per_s=4_000.0,
        accept=latencies(20.0),
        inserted_per_s=30_000.0,
        claimed_per_s=30_000.0,
        committed_per_s=projected_per_s + 100,
        projected_per_s=projected_per_s,
        http_projected_per_s=3_000.0,
        cpu_us={"ledger": 120.0, "submitter": 40.0, "projector": 20.0, "postgresql": 20.0},
        http_cpu_us={"api": 150.0, "client": 50.0, "ledger": 200.0},
        wal_bytes=1_400.0,
    )


def peer(done_per_s: float) -> PeerFigures:
    """A peer that finishes so many a second."""
    return PeerFigures(
        configuration="its best",
        single_per_s=2_000.0,
        bulk_per_s=40_000.0,
        done_per_s=done_per_s,
        cpu_us=50.0,
    )


def a_round(projected_per_s: float, *, others: float = 0.0) -> Round:
    """One round of a new system of this speed, beside 80,000 rows/s of pgbench."""
    return Round(
        x100=80_000.0,
        c1=4_000.0,
        bare_per_s=6_000.0,
        bare=latencies(10.0),
        pooled_per_s=1_600.0,
        fresh=measured(projected_per_s),
        grown={PAST: measured(projected_per_s * 0.9)},
        read_models=ReadModelRates(caught_up_per_s=40_000.0, rebuilt_per_s=50_000.0),
        peers={PGQUEUER: peer(8_000.0), EVENTSOURCING: peer(1_000.0)},
        held=HeldSnapshot(finished=120_000, free_ms=4.0, held_ms=5.0),
        others_cores=others,
    )


def open_loop(percent: int, projected_p99_ms: float, *, over_http: bool = True) -> OpenLoop:
    """One load's latencies."""
    return OpenLoop(
        over_http=over_http,
        percent=percent,
        rate_per_s=1_000.0,
        busy=0.75,
        accept=latencies(20.0) if over_http else None,
        committed=latencies(projected_p99_ms),
        projected=latencies(projected_p99_ms),
        read=latencies(9.0) if over_http else None,
    )


def a_report(*rounds: Round, half_p99_ms: float = 50.0) -> Report:
    """A report of these rounds."""
    return Report(
        command="test",
        seconds=1,
        machine=Machine(
            cpu="a cpu",
            cores=2,
            memory_gib=1.0,
            system="a system",
            python="3",
            postgresql="18",
            commit="0",
        ),
        effort=Effort(
            rounds=len(rounds),
            post_s=1.0,
            transfers=1_000,
            open_s=1.0,
            histories=(1_000_000,),
            accounts=(),
        ),
        rounds=list(rounds),
        open_loops=[
            open_loop(20, 10.0),
            open_loop(50, half_p99_ms),
            open_loop(80, 400.0),
            open_loop(50, half_p99_ms, over_http=False),
        ],
        startup=Startup(first_up_s=9.0, second_up_s=6.0, ready_s={"api": 1.0}),
        memory_mib={"api": 90.0},
        scrape_ms={"api": 8.0},
        profiles={"ledger": {"contracts": 0.6, "ledger": 0.4}},
    )


def verdicts(report: Report) -> dict[str, bool | None]:
    """Each answer's verdict by its name."""
    return {answer.name: answer.is_met for answer in report.answers()}


def test_a_ratio_is_the_median_over_rounds_of_pairs_of_one_round() -> None:
    """Medians of both sides apart would compare different minutes."""
    report = a_report(a_round(20_000.0), a_round(24_000.0), a_round(16_000.0))

    found = {answer.name: answer.value for answer in report.answers()}

    ratio = found["projected / pgbench x100"]
    assert (ratio.min, ratio.median, ratio.max) == (0.2, 0.25, 0.3)
    assert found["our whole loop, driver inside / pgqueuer's dequeue and finish alone"].max == 3


def test_targets_are_met_or_missed_by_the_median() -> None:
    """Each target of the specification has a line with its verdict."""
    found = verdicts(a_report(a_round(24_000.0), half_p99_ms=101.0))

    assert found["projected / pgbench x100"] is True
    assert found["our whole loop, driver inside / pgqueuer's dequeue and finish alone"] is True
    assert found["projected p99, 50 % of the ceiling, over HTTP (1,000/s)"] is False
    assert found["projected p99, 80 % of the ceiling, over HTTP (1,000/s)"] is True
    assert found["GET balance p95 under writes, 50 % of the ceiling"] is True
    assert found["durable POST / the same POST with 16 connections that commit one by one"] is True
    assert found["claim of 100 after 120,000, an old snapshot held / none"] is True
    assert found["GET /metrics of the api, idle after the load"] is True
    assert found[f"insert (groups of 500): {PAST} / 10,000"] is True
    assert found["resident memory of the api"] is True


def test_each_miss_is_explained_with_figures_of_the_run() -> None:
    """The reader learns what a command costs, what that bounds, and what the target leaves."""
    page = render_page(a_report(a_round(8_000.0)), None, chart="a.svg", latencies="b.svg")

    explained = page[page.index("## What bounds") :]
    assert "projected / pgbench x100: 0.100" in explained
    assert "A command costs 200 µs" in explained
    assert "2 cores carry 10,000 commands/s at most" in explained
    assert "8,000/s are 80%" in explained
    assert "20,000 commands/s here, which leaves\n100 µs" in explained
    assert "bounds the loop at 8,333 commands/s" in explained


def test_a_run_that_misses_nothing_says_so() -> None:
    """No analysis is invented where there is nothing to explain."""
    page = render_page(a_report(a_round(24_000.0)), None, chart="a.svg", latencies="b.svg")

    assert "None is missed." in page


def test_a_disturbed_run_says_so() -> None:
    """Figures that somebody else's work was part of must not pass for this machine's."""
    page = render_page(
        a_report(a_round(8_000.0, others=0.9)), None, chart="a.svg", latencies="b.svg"
    )

    assert "This run was disturbed" in page


def test_systems_that_have_grown_by_far_come_from_a_run_of_their_own() -> None:
    """They take longer to make than `make bench` may last."""
    report = a_report(a_round(24_000.0))
    page = render_page(report, report, chart="a.svg", latencies="b.svg")

    assert "## And when it has grown by far?" in page
    assert page.count(f"insert (groups of 500): {PAST}") == 2


def test_what_an_insert_writes_to_the_log_stands_beside_its_rate() -> None:
    """A grown index costs whole pages of log; figures of an older benchmark say nothing of it."""
    old = Written(all_bytes=3_000.0, image_bytes=2_000.0)
    new = Written(all_bytes=1_000.0, image_bytes=10.0)
    before = a_round(24_000.0)
    told = msgspec.structs.replace(
        before,
        fresh=msgspec.structs.replace(before.fresh, insert_log=new),
        grown={PAST: msgspec.structs.replace(before.grown[PAST], insert_log=old)},
    )
    name = f"log of an insert: {PAST} / 10,000"

    (answer,) = (each for each in a_report(told).answers() if each.name == name)

    assert answer.value.median == 3.0
    assert "3,000 bytes, 2,000 of them images" in answer.figure
    assert name not in verdicts(a_report(before))


def test_the_charts_draw_every_target_and_every_load() -> None:
    """A picture that leaves out what is missed would flatter."""
    report = a_report(a_round(8_000.0))
    with_target = [answer for answer in report.answers() if answer.target is not None]

    assert render_chart(report.answers()).count('fill-opacity="0.75"') == len(with_target)
    assert render_latencies(report.open_loops).count("<polyline") == 15


def test_a_report_survives_its_file() -> None:
    """The page is written anew from the committed results."""
    report = a_report(a_round(8_000.0))

    assert msgspec.json.decode(msgspec.json.encode(report), type=Report) == report


def test_a_sample_counts_for_the_innermost_frame_that_a_subsystem_owns() -> None:
    """Time in a library counts for the library, time in C code for its caller."""
    found = shares(
        [
            "main (/x/gx/outbox/term.py:1);fetch (/x/gx/database/pool.py:2) 3",
            "main (/x/gx/outbox/term.py:1);dumps (/usr/lib/json/encoder.py:2) 1",
            "main (/x/gx/outbox/term.py:1);digest (/usr/lib/hashlib.py:2) 4",
        ]
    )

    assert found == {"outbox": 0.5, "asyncpg and pools": 0.375, "JSON": 0.125}


def test_a_thread_that_waits_for_work_is_not_at_work() -> None:
    """py-spy takes a pool's thread for busy that waits for its queue's lock."""
    pool = "run (/usr/lib/threading.py:9);_worker (/usr/lib/concurrent/futures/thread.py:81)"

    assert shares([f"{pool} 90", "main (/x/gx/outbox/term.py:1) 1"]) == {"outbox": 1.0}


@pytest.mark.parametrize("projected_per_s", [1_000.0, 100_000.0])
def test_the_page_can_be_written_whatever_was_measured(projected_per_s: float) -> None:
    """A run of a quarter of an hour must not be lost to its page."""
    page = render_page(a_report(a_round(projected_per_s)), None, chart="a.svg", latencies="b.svg")

    assert page.startswith("# Benchmarks")
