"""The soak's verdict, on series that are made up: flat and noisy ones, and one leak each."""

import random
from collections.abc import Callable
from typing import Final

import msgspec
import pytest

from benchmarks.figures import Percentiles
from benchmarks.machine import Machine
from benchmarks.soak_page import SoakReport, render_soak_chart, render_soak_page
from benchmarks.soak_samples import HOT_TABLES, Sample, Slice, Table
from benchmarks.soak_verdict import Soaked, judge
from benchmarks.trend import slope

MINUTES = 20
RATE_PER_S = 2_000
DICE = random.Random()  # noqa: S311 (noise)

Change = Callable[[Soaked], Soaked]


def noisy(value: float, share: float = 0.1) -> float:
    """A value with some noise."""
    return value * (1 + DICE.uniform(-share, share))


def latencies(p99_ms: float) -> Percentiles:
    """Noisy latencies, now and then with an outlier."""
    outlier = 5 if DICE.random() < 0.05 else 1
    return Percentiles(
        count=1_000,
        p50_ms=noisy(p99_ms / 4),
        p95_ms=noisy(p99_ms / 2),
        p99_ms=noisy(p99_ms) * outlier,
        max_ms=p99_ms * 10,
    )


def a_table(inserted: int) -> Table:
    """A table that autovacuum looks after."""
    return Table(
        table_bytes=3_000_000,
        total_bytes=4_000_000,
        live=200,
        dead=round(noisy(8_000, 0.8)),
        inserted=inserted,
        vacuums=inserted // 20_000,
    )


def a_sample(at_s: float) -> Sample:
    """What a healthy system looks like at that time."""
    commands = round(at_s * RATE_PER_S)
    return Sample(
        at_s=at_s,
        memory_mib={"api": 90 + noisy(0.5, 1.0), "ledger": 100 + noisy(0.5, 1.0)},
        open_files={"api": 40 + DICE.randrange(3), "ledger": 12},
        queue_depth=round(noisy(200, 0.5)),
        oldest_ms=round(noisy(80, 0.5)),
        wal_bytes=round(commands * noisy(1_500)),
        ledger_bytes=commands * 900,
        tables={
            name: a_table(commands)
            for name in (*HOT_TABLES, "commands", "command_results", "account_entries")
        },
    )


def a_soak() -> Soaked:
    """Twenty minutes of a healthy system; the noise is the same every time."""
    DICE.seed(3)
    return Soaked(
        samples=[a_sample(at_s) for at_s in range(0, MINUTES * 60, 5)],
        slices=[
            Slice(
                at_s=minute * 60.0,
                accepted=RATE_PER_S * 60,
                refused=0,
                accept=latencies(20.0),
                read=latencies(8.0),
                committed=latencies(40.0),
                projected=latencies(60.0),
            )
            for minute in range(MINUTES)
        ],
        ended=[],
        left=0,
    )


FLAT: Final = a_soak()


def samples_changed(change: Callable[[Sample], Sample]) -> Change:
    """Change every sample of a soak."""
    return lambda soaked: msgspec.structs.replace(
        soaked, samples=[change(one) for one in soaked.samples]
    )


def slices_changed(change: Callable[[Slice], Slice]) -> Change:
    """Change every slice of a soak."""
    return lambda soaked: msgspec.structs.replace(
        soaked, slices=[change(one) for one in soaked.slices]
    )


def leaking(one: Sample) -> Sample:
    """Five MiB in ten minutes, on top of what the process holds."""
    more = {**one.memory_mib, "api": one.memory_mib["api"] + one.at_s * 5 / 600}
    return msgspec.structs.replace(one, memory_mib=more)


def losing_files(one: Sample) -> Sample:
    """A connection that is not closed, every half minute."""
    more = {**one.open_files, "api": one.open_files["api"] + int(one.at_s // 30)}
    return msgspec.structs.replace(one, open_files=more)


def slowing(one: Slice) -> Slice:
    """Every projection takes a tenth of a millisecond longer each second."""
    later = one.at_s / 20
    slower = Percentiles(
        count=1,
        p50_ms=one.projected.p50_ms + later,
        p95_ms=one.projected.p95_ms + later,
        p99_ms=one.projected.p99_ms + later,
        max_ms=one.projected.max_ms + later,
    )
    return msgspec.structs.replace(one, projected=slower)


def bloating(**growth: float) -> Callable[[Sample], Sample]:
    """The queue's table grows by so much a second."""

    def change(one: Sample) -> Sample:
        table = one.tables["outbox"]
        more = {name: getattr(table, name) + round(one.at_s * by) for name, by in growth.items()}
        tables = {**one.tables, "outbox": msgspec.structs.replace(table, **more)}
        return msgspec.structs.replace(one, tables=tables)

    return change


def stuck(one: Sample) -> Sample:
    """A command that was accepted at the beginning still waits."""
    return msgspec.structs.replace(one, oldest_ms=round(one.at_s * 1_000))


def found_in(soaked: Soaked) -> list[str]:
    """Name the rules that do not hold."""
    return [finding.rule for finding in judge(soaked) if not finding.is_flat]


def test_a_flat_and_noisy_series_passes() -> None:
    """Noise and outliers are no leak: a soak that cries wolf is soon ignored."""
    assert found_in(a_soak()) == []


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        (samples_changed(leaking), "memory of the api: rise"),
        (samples_changed(losing_files), "open files of the api"),
        (slices_changed(slowing), "projection p50"),
        (samples_changed(bloating(total_bytes=20_000)), "size of outbox"),
        (samples_changed(bloating(total_bytes=20_000)), "size of the queue"),
        (samples_changed(bloating(dead=100)), "dead rows in outbox"),
        (samples_changed(stuck), "age of the oldest"),
        (lambda soaked: msgspec.structs.replace(soaked, left=1), "commands that still waited"),
        (lambda soaked: msgspec.structs.replace(soaked, ended=["api"]), "processes that ended"),
        (
            slices_changed(lambda one: msgspec.structs.replace(one, refused=1)),
            "answers that were refused",
        ),
    ],
)
def test_what_creeps_is_named(change: Change, rule: str) -> None:
    """Each rule can fail, and says which process, latency or table it is about."""
    found = found_in(change(a_soak()))

    assert any(name.startswith(rule) for name in found), found


def scattered(growth: float) -> Soaked:
    """A soak whose minutes differ as on a busy machine, and whose latencies grow so many times."""

    def change(one: Slice) -> Slice:
        times = 1 + (growth - 1) * one.at_s / (MINUTES * 60)
        stages = {
            stage: Percentiles(
                count=1_000,
                p50_ms=20 * times * DICE.lognormvariate(0, 0.05),
                p95_ms=60 * times * DICE.lognormvariate(0, 0.25),
                p99_ms=90 * times * DICE.lognormvariate(0, 0.35),
                max_ms=900,
            )
            for stage in ("accept", "committed", "projected", "read")
        }
        return msgspec.structs.replace(one, **stages)

    return msgspec.structs.replace(FLAT, slices=[change(one) for one in FLAT.slices])


@pytest.mark.parametrize(
    ("growth", "least", "most"), [(1.0, 0, 10), (2.0, 95, 100), (1.5, 60, 100)]
)
def test_scatter_is_told_from_growth(growth: float, least: int, most: int) -> None:
    """Of a hundred soaks few that are flat are accused, and few that grow are acquitted."""
    DICE.seed(7)

    accused = sum(bool(found_in(scattered(growth))) for _ in range(100))

    assert least <= accused <= most


def test_memory_has_a_limit_after_a_million_commands() -> None:
    """Flat is not enough where it is flat and large."""

    def large(one: Sample) -> Sample:
        more = {name: mib + 60 for name, mib in one.memory_mib.items()}
        return msgspec.structs.replace(one, memory_mib=more)

    found = found_in(samples_changed(large)(a_soak()))

    assert found == [
        "memory of the api after 2,400,000 commands",
        "memory of the ledger after 2,400,000 commands",
    ]


def test_the_slope_is_not_moved_by_a_few_outliers() -> None:
    """A backup that ran for a minute is no trend."""
    points = [(float(x), 0.5 * x + (100 if x in {7, 50} else 0)) for x in range(100)]

    assert slope(points) == pytest.approx(0.5)


def test_the_page_says_what_was_not_flat() -> None:
    """Who reads the page reads the verdict first."""
    soaked = samples_changed(leaking)(a_soak())
    report = SoakReport(
        command="test",
        minutes=MINUTES,
        rate_per_s=RATE_PER_S,
        others_cores=0.0,
        soaked=soaked,
        findings=judge(soaked),
        machine=Machine(
            cpu="a cpu",
            cores=2,
            memory_gib=1.0,
            system="a system",
            python="3",
            postgresql="18",
            commit="0",
        ),
    )

    page = render_soak_page(report, chart="soak.svg")

    assert not report.is_flat
    assert "**Not flat: memory of the api: rise over 15 min.**" in page
    assert render_soak_chart(soaked).count("<polyline") == 14
