"""The report of the benchmark on Fabric, from figures that are made up."""

import msgspec
import pytest

from benchmarks.chart import render_chart
from benchmarks.fabric_network import NODES
from benchmarks.fabric_page import explain_bound, render_fabric_page
from benchmarks.fabric_questions import FabricEffort, FabricRound, HalfLoad, Measured, Way
from benchmarks.fabric_report import COSTS, RATIOS, FabricReport
from benchmarks.figures import Percentiles
from benchmarks.machine import Machine

SOME: Percentiles = Percentiles(count=3, p50_ms=1.0, p95_ms=2.0, p99_ms=3.0, max_ms=4.0)


def measured(per_s: float, cpu_us: float, *, size: int = 1, others: float = 0.0) -> Measured:
    """One way's figures: every node uses as much CPU time, and nobody else any."""
    return Measured(
        commands=100,
        transactions=100 // size,
        accepted_per_s=1_000.0,
        committed_per_s=per_s * 2,
        projected_per_s=per_s,
        cpu_us=dict.fromkeys(NODES, cpu_us),
        shim_requests={"GET_STATE": 3.0, "PUT_STATE": 2.0},
        others_cores=others,
    )


def a_round(batches_per_s: float, *, others: float = 0.0) -> FabricRound:
    """Batches at this rate, single transactions at 10 and 5 per second."""
    return FabricRound(
        ways={
            Way.BATCHES: measured(batches_per_s, 100.0, size=50, others=others),
            Way.SINGLE: measured(10.0, 1_000.0),
            Way.NODE: measured(5.0, 3_000.0),
        },
        inside_committed_per_s=6_000.0,
        inside_projected_per_s=4_000.0,
    )


def a_report(*rounds: FabricRound) -> FabricReport:
    """A report of these rounds."""
    return FabricReport(
        command="test",
        seconds=1,
        machine=Machine(
            cpu="a cpu", cores=2, memory_gib=1.0, system="a system",
            python="3", postgresql="18", commit="0",
        ),
        network={"Fabric": "a version"},
        effort=FabricEffort(
            rounds=len(rounds), closed_s=1.0, open_s=1.0, accounts=10,
            warm_up=dict.fromkeys(Way, 1),
        ),
        rounds=list(rounds),
        half_loads=[
            HalfLoad(way=way, rate_per_s=1.0, accept=SOME, committed=SOME, projected=SOME)
            for way in Way
        ],
        memory_mib={"api": 10.0},
    )  # fmt: skip


def test_a_ratio_is_the_median_of_the_rounds_own_ratios() -> None:
    """Each round compares what ran in the same minute; the spread is that of the ratios."""
    report = a_report(a_round(100.0), a_round(160.0), a_round(200.0))

    ratios = [each for each in report.answers() if each.question == RATIOS]

    assert [each.value.median for each in ratios] == [16.0, 16.0, 32.0, 32.0]
    assert [(each.value.min, each.value.max) for each in ratios[:1]] == [(10.0, 20.0)]
    assert [each.is_met for each in ratios] == [True, True, False, False]


def test_the_rate_target_is_for_the_driver_inside() -> None:
    """5,000 commands a second, committed and projected each for itself."""
    answers = {each.name: each for each in a_report(a_round(100.0)).answers()}

    assert answers["committed, batches, driver inside"].is_met is True
    assert answers["projected, batches, driver inside"].is_met is False
    assert answers["projected, batches, over HTTP"].is_met is None


def test_cpu_time_is_compared_the_other_way_round() -> None:
    """What a single command costs more than one in a batch."""
    costs = [each for each in a_report(a_round(100.0)).answers() if each.question == COSTS]

    assert [each.value.median for each in costs] == [10.0, 30.0]


def test_the_bound_is_what_the_keys_cost() -> None:
    """Two peers and the chaincode, 5 messages each peer, on two cores."""
    text = " ".join(explain_bound(a_report(a_round(100.0))))

    assert "takes 10.0 messages" in text
    assert "spend 300 µs" in text
    assert "6,667 commands/s" in text
    assert "leave 400 µs" in text
    assert "neither multi-get nor write batches" in text


def test_a_peer_that_hands_out_many_keys_is_not_accused() -> None:
    """The explanation goes by the messages that were counted."""
    one = a_round(100.0)
    many = msgspec.structs.replace(one.ways[Way.BATCHES], shim_requests={"GET_STATE_MULTIPLE": 0.1})
    report = a_report(msgspec.structs.replace(one, ways={**one.ways, Way.BATCHES: many}))

    assert "neither" not in " ".join(explain_bound(report))


@pytest.mark.parametrize(("others", "is_warned"), [(0.0, False), (1.0, True)])
def test_a_disturbed_run_says_so(*, others: float, is_warned: bool) -> None:
    """Figures of a busy machine are not for comparing."""
    page = render_fabric_page(a_report(a_round(100.0, others=others)), chart="chart.svg")

    assert ("This run was disturbed" in page) is is_warned


def test_the_page_has_every_answer_and_every_way() -> None:
    """Nothing that was measured is left out, and the chart shows what has a target."""
    report = a_report(a_round(100.0))

    page, chart = render_fabric_page(report, chart="chart.svg"), render_chart(report.answers())

    for answer in report.answers():
        assert f"| {answer.name} |" in page
    assert chart.count("<rect") == 1 + sum(each.target is not None for each in report.answers())
    assert msgspec.json.decode(msgspec.json.encode(report), type=FabricReport) == report
