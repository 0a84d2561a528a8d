"""Debian's vmalert, which replays rules in its own way; what it finds lands in VictoriaMetrics."""

from collections import defaultdict
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, TypedDict

import httpx
import yaml

from gx.proof.backtest.states import Evaluations
from gx.runtime.tools import Program, Tool
from tests.monitoring.discovery.programs import find_vmagent
from tests.ports import free_port
from tests.proof.backtest.past import answers, run_to_end, running, until

EVALUATION_S: Final = 15


class _Told(TypedDict):
    metric: dict[str, str]
    values: list[tuple[float, str]]


def firing_minutes(
    cache: Path, url: str, groups: Mapping[str, object], span: Evaluations, *, folder: Path
) -> dict[str, float]:
    """Replay rules with vmalert; return for how many minutes each alert fired."""
    programs, port = find_vmagent(cache).parent, free_port()
    storage = f"http://127.0.0.1:{port}"
    command = (
        str(programs / "victoria-metrics"),
        f"-httpListenAddr=127.0.0.1:{port}",
        f"-storageDataPath={folder / 'victoria'}",
        "-retentionPeriod=100y",
        "-search.latencyOffset=0s",
    )
    rules = folder / "vmalert.yml"
    rules.write_text(yaml.safe_dump(dict(groups)))
    with running(command, folder):
        until(lambda: answers(f"{storage}/health"))
        run_to_end(
            Tool(program=Program.PROMTOOL, path=programs / "vmalert", version=""),
            f"-rule={rules}",
            f"-datasource.url={url}",
            f"-datasource.queryStep={EVALUATION_S}s",
            f"-evaluationInterval={EVALUATION_S}s",
            f"-remoteWrite.url={storage}",
            f"-replay.timeFrom={_time(span.start_s)}",
            f"-replay.timeTo={_time(span.end_s)}",
            "-replay.maxDatapointsPerQuery=10000",
            "-replay.rulesDelay=0s",
            "-httpListenAddr=127.0.0.1:0",
        )
        return _minutes(storage, span)


def _time(at_s: int) -> str:
    return datetime.fromtimestamp(at_s, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _minutes(storage: str, span: Evaluations) -> dict[str, float]:
    httpx.get(f"{storage}/internal/force_flush", timeout=30, trust_env=False)
    answer = httpx.get(
        f"{storage}/api/v1/query",
        params={
            "query": f'ALERTS{{alertstate="firing"}}[{span.length_s + 60}s]',
            "time": str(span.end_s),
        },
        timeout=30,
        trust_env=False,
    )
    series: list[_Told] = answer.json()["data"]["result"]
    found: dict[str, float] = defaultdict(float)
    for each in series:
        found[each["metric"]["alertname"]] += len(each["values"]) * EVALUATION_S / 60
    return dict(found)
