"""Back-tests and baselines of a past that a real Prometheus serves, against independent oracles."""

import json
import re
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Final, TypeAlias

import pytest
import yaml

from gx.proof.backtest import history as reading
from gx.proof.backtest.history import History
from gx.proof.backtest.measures import AlertMeasures, Reading, measure
from gx.proof.backtest.replay import replay
from gx.proof.backtest.rules import RuleSet, parse_rules
from gx.proof.backtest.states import Evaluations
from gx.runtime.tools import Program, Tool
from tests.cli.conftest import gx
from tests.end_to_end.tour import read_steps
from tests.proof.backtest.conftest import ROOT
from tests.proof.backtest.past import START_S, Past, flat, run_to_end, served, walk, write_blocks
from tests.proof.backtest.vmalert import firing_minutes

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300), pytest.mark.xdist_group("past")]

Rule: TypeAlias = dict[str, object]

COUNT: Final = 960  # four hours
SPAN: Final = Evaluations(start_s=START_S + 300, end_s=START_S + COUNT * 15 - 60, step_s=15)
MAINNET: Final = {"namespace": "backend-mainnet"}
RANDOM: Final = tuple(
    Past("seeded", {"namespace": f"backend-{seed}"}, walk(seed, COUNT, top=100)) for seed in (1, 2)
)
# A jam from 01:00 to 01:20, and every other hour somewhat more than usual.
QUEUE: Final = Past(
    "outbox_pending_commands",
    MAINNET,
    flat(3, COUNT, (240, 320, 700), (480, 520, 150), (720, 760, 150)),
)
PASTS: Final = (*RANDOM, QUEUE, Past("up", MAINNET, flat(1, COUNT)))
ALERTS: Final[list[Rule]] = [
    {"alert": "AtOnce", "expr": "seeded > 60"},
    {"alert": "Soon", "expr": "seeded > 40", "for": "1m"},
    {"alert": "Late", "expr": "max by (namespace) (seeded) > 30", "for": "5m"},
    {"alert": "Averaged", "expr": "avg_over_time(seeded[3m]) < 25", "for": "70s"},
]
RECORDED: Final[list[Rule]] = [
    {"record": "namespace:seeded:max", "expr": "max by (namespace) (seeded)"},
    {
        "record": "tenth:seeded",
        "expr": "max by (namespace) (seeded) / 10",
        "labels": {"kind": "tenth"},
    },
]
READERS: Final[list[Rule]] = [
    {"alert": "Chained", "expr": 'tenth:seeded{kind="tenth"} > 5', "for": "1m"},
    {"alert": "Other", "expr": 'tenth:seeded{kind="half"} > 5'},
    {"alert": "One", "expr": 'namespace:seeded:max{namespace=~".+-1",namespace!="x"} > 50'},
    {"alert": "Ranged", "expr": "avg_over_time(namespace:seeded:max[2m]) > 50"},
    {"alert": "Earlier", "expr": "namespace:seeded:max offset 3m > 50"},
]


@pytest.fixture(scope="module")
def past(
    tools: dict[Program, Tool], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, Path]]:
    """Four hours, served; yields the address and the data's folder."""
    folder = tmp_path_factory.mktemp("past")
    data = write_blocks(tools[Program.PROMTOOL], PASTS, folder)
    with served(tools, data, folder) as url:
        yield url, data


def _groups(*rules: Rule) -> dict[str, object]:
    return {"groups": [{"name": "tested", "interval": "15s", "rules": list(rules)}]}


def _rules(*rules: Rule) -> RuleSet:
    return parse_rules("tested", _groups(*rules))


def _measured(url: str, rules: RuleSet) -> dict[str, AlertMeasures]:
    with History(url) as history:
        replayed = replay(rules, history, SPAN)
    assert not replayed.errors
    return {each.name: each for each in measure(replayed, Reading()).alerts}


def test_alerts_fire_as_long_as_vmalert_says(past: tuple[str, Path], tmp_path: Path) -> None:
    """Minute for minute, on random walks that miss scrapes."""
    url, _ = past

    ours = {name: each.minutes for name, each in _measured(url, _rules(*ALERTS)).items()}

    theirs = firing_minutes(ROOT / ".cache", url, _groups(*ALERTS), SPAN, folder=tmp_path)
    assert ours == theirs
    assert min(ours.values()) > 0


def test_recordings_are_read_as_if_they_had_been_recorded(
    past: tuple[str, Path], tools: dict[Program, Tool], tmp_path: Path
) -> None:
    """Promtool records them into a copy of the history; there the same alerts fire as here."""
    url, _ = past
    rules = tmp_path / "rules.yml"
    rules.write_text(yaml.safe_dump(_groups(*RECORDED)))
    data = write_blocks(tools[Program.PROMTOOL], RANDOM, tmp_path)
    run_to_end(
        tools[Program.PROMTOOL],
        *("tsdb", "create-blocks-from", "rules", "--url", url, "--output-dir", str(data)),
        *("--start", str(START_S), "--end", str(SPAN.end_s), "--eval-interval", "15s", str(rules)),
    )

    inlined = _measured(url, _rules(*RECORDED, *READERS))

    with served(tools, data, tmp_path) as recorded:
        found = _measured(recorded, _rules(*READERS))
    # A group is evaluated up to one interval after the samples that it reads: at both ends of the
    # range, for either namespace, 15 s may fall out of it.
    for name, each in inlined.items():
        assert found[name].minutes == pytest.approx(each.minutes, abs=1), name
    fired = {name for name, each in inlined.items() if each.firings}
    assert fired == {"Chained", "One", "Ranged", "Earlier"}


def test_a_long_range_is_asked_for_in_parts(
    past: tuple[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """However small the parts are, the answer is the same."""
    url, _ = past
    whole = _measured(url, _rules(*ALERTS))
    monkeypatch.setattr(reading, "POINTS_MAX", 100)

    assert _measured(url, _rules(*ALERTS)) == whole


def _range(url: str) -> list[str]:
    return ["--prometheus", url, "--from", str(SPAN.start_s), "--to", str(SPAN.end_s)]


def _incidents(folder: Path, *rows: str) -> str:
    path = folder / "incidents.csv"
    path.write_text("\n".join(["name,start,end,alerts", *rows]))
    return str(path)


def test_the_catalogue_is_compared_with_a_rule_file(past: tuple[str, Path], tmp_path: Path) -> None:
    """Pages, nights, incidents found and missed; the exit code says that one was missed."""
    url, _ = past
    rules, picture = tmp_path / "rules.yml", tmp_path / "firings.svg"
    deaf: Rule = {"alert": "OutboxQueueCritical", "expr": "outbox_pending_commands > 900"}
    rules.write_text(yaml.safe_dump(_groups(deaf)))
    marked = _incidents(tmp_path, "jam,2026-01-05T01:00:00Z,2026-01-05T01:20:00Z,")
    options = [*_range(url), "--only", "OutboxQueueCritical", "--incidents", marked, "--json"]

    done = gx("backtest", *options, "--against", str(rules), "--picture", str(picture))

    assert done.code == 1
    told = json.loads(done.out)
    assert told["measures"]["alerts"][0]["night_pages"] == 1
    assert told["measures"]["detections"] == [{"incident": "jam", "delay_s": 120}]
    changes = told["comparison"]
    assert changes["pages"] == [{"name": "OutboxQueueCritical", "before": 1, "after": 0}]
    assert changes["detections"] == [{"name": "jam", "before": 120, "after": None}]
    assert "jam" in picture.read_text()


def test_a_threshold_is_proposed_as_a_patch_that_applies(
    past: tuple[str, Path], tmp_path: Path
) -> None:
    """What pages without a reason is raised above it, and the incident is still found."""
    url, _ = past
    patch = tmp_path / "thresholds.patch"
    marked = _incidents(tmp_path, "jam,2026-01-05T01:00:00Z,2026-01-05T01:20:00Z,")
    options = ["--incidents", marked, "--only", "QUEUE_WARNING", "--output", str(patch), "--json"]

    done = gx("baseline", *_range(url), "--step", "15s", *options)

    assert done.code == 0, done.err
    (found,) = json.loads(done.out)
    trials = {each["value"]: each for each in found["trials"]}
    assert trials[100]["false_per_week"] > 0 == trials[100]["miss_rate"]
    assert 100 < found["proposed"] < 500, "a warning stays below its critical alert"
    assert max(trials) < 500
    assert trials[found["proposed"]]["false_per_week"] == 0
    assert f"+QUEUE_WARNING: Final = Threshold(default={found['proposed']:g}," in patch.read_text()
    subprocess.run(["git", "apply", "--check", str(patch)], cwd=ROOT, check=True)


def test_an_address_where_nothing_answers_is_told_as_such() -> None:
    """The exit code for what cannot be reached, and what to do."""
    done = gx("backtest", "--prometheus", "http://127.0.0.1:9", "--from", "1h")

    assert done.code == 3
    assert "--prometheus" in done.err


@pytest.mark.parametrize("guide", ["back-test-alerts.md", "propose-thresholds.md"])
def test_the_guides_print_what_they_say(
    guide: str, past: tuple[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every console block, on the history that the guides are about."""
    url, _ = past
    document = ROOT / "docs" / "how-to" / guide
    marked = re.search(r"```yaml\n(.*?)```", document.read_text(), re.DOTALL)
    assert marked is not None
    (tmp_path / "incidents.yaml").write_text(marked[1])
    monkeypatch.chdir(tmp_path)
    steps = list(read_steps(document))
    assert steps
    for step in steps:
        program, *arguments = shlex.split(step.command)
        if program == "cat":
            printed = Path(arguments[0]).read_text()
        else:
            done = gx(*arguments, "--prometheus", url)
            assert done.code == 0, done.err
            printed = done.out
        expected = [line.rstrip() for line in step.output]
        assert [line.rstrip() for line in printed.splitlines()] == expected, step.command
