"""The Prometheus Operator's twins: valid objects, and the same jobs, rules and labels."""

from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Final

import pytest
import yaml
from pydantic import BaseModel

from gx.monitoring.jobs import DISCOVERED_JOBS, PROBE_JOB
from gx.monitoring.render import PROMETHEUS_FOLDER
from tests.monitoring.conftest import ROOT
from tests.monitoring.discovery.test_kubernetes import committed

FOLDER: Final = ROOT / PROMETHEUS_FOLDER / "operator"
Json = dict[str, object]


def documents() -> list[Json]:
    """Return every object of the committed twins."""
    return [
        document
        for path in sorted(FOLDER.glob("*.yaml"))
        for document in yaml.safe_load_all(path.read_text(encoding="utf-8"))
    ]


def lost(original: object, read: object, path: str = "") -> Iterator[str]:
    """Yield what a model did not keep of a document: keys that its schema does not have."""
    if isinstance(original, Mapping):
        kept: Mapping[object, object] = read if isinstance(read, Mapping) else {}
        for key, value in original.items():
            if key not in kept:
                yield f"{path}.{key}"
            else:
                yield from lost(value, kept[key], f"{path}.{key}")
    elif isinstance(original, list) and isinstance(read, list):
        for number, (first, second) in enumerate(zip(original, read, strict=True)):
            yield from lost(first, second, f"{path}[{number}]")


def model_of(document: Json) -> type[BaseModel]:
    """Return the Operator's own model of a document's kind."""
    # Four seconds to import: only these tests pay for it.
    models: dict[str, type[BaseModel]] = vars(
        import_module("cloudcoil.models.prometheus_operator.v1")
    )
    return models[str(document["kind"])]


def read_back(document: Json) -> object:
    """Read a document with the Operator's model, and write it again."""
    read: object = (
        model_of(document)
        .model_validate(document)
        .model_dump(by_alias=True, exclude_none=True, mode="json")
    )
    return read


@pytest.mark.slow
def test_the_operators_own_models_take_every_object_whole() -> None:
    """No value is refused and no key is lost: a misspelt one would be ignored in silence."""
    for document in documents():
        assert list(lost(document, read_back(document))) == [], document["metadata"]


@pytest.mark.slow
def test_a_misspelt_key_and_a_wrong_value_are_noticed() -> None:
    """Negative controls of the check above."""
    text = (FOLDER / "scraping.yaml").read_text(encoding="utf-8")
    first = next(iter(yaml.safe_load_all(text.replace("sampleLimit", "sampleLimits"))))
    assert list(lost(first, read_back(first))) == [".spec.sampleLimits"]

    first = next(iter(yaml.safe_load_all(text.replace("interval: 15s", "interval: 15 seconds"))))
    with pytest.raises(ValueError, match="interval"):
        read_back(first)


def test_the_twins_scrape_what_the_configuration_scrapes() -> None:
    """Job by job: the same choice of targets, the same filter and limit; nothing is left out."""
    monitors = {
        name: document
        for document in documents()
        if document["kind"] in {"ServiceMonitor", "PodMonitor"}
        for name in (_name(document),)
    }
    assert set(monitors) == {job.name for job in DISCOVERED_JOBS}
    for job in DISCOVERED_JOBS:
        spec = monitors[job.name]["spec"]
        assert isinstance(spec, dict)
        ((endpoint,),) = (spec[key] for key in ("endpoints", "podMetricsEndpoints") if key in spec)
        rules = endpoint["relabelings"]
        spelt = [rule.to_operator() for rule in job.relabelling]
        assert rules[: len(spelt)] == spelt
        assert rules[len(spelt)] == {"targetLabel": "job", "replacement": job.name}
        # The Operator's own label `endpoint` would push the API's aside.
        assert rules[-1] == {"action": "labeldrop", "regex": "endpoint|container"}
        assert endpoint.get("metricRelabelings", []) == [
            rule.to_operator() for rule in job.metric_relabelling
        ]
        assert spec["sampleLimit"] == job.samples_max


def test_the_probes_are_those_of_the_configuration() -> None:
    """The same addresses with the same labels."""
    jobs = committed()["scrape_configs"]
    assert isinstance(jobs, list)
    (blackbox,) = (job for job in jobs if job["job_name"] == PROBE_JOB)
    probes = [
        document["spec"]["targets"]["staticConfig"]
        for document in yaml.safe_load_all((FOLDER / "scraping.yaml").read_text(encoding="utf-8"))
        if document["kind"] == "Probe"
    ]

    assert [(each["static"], each["labels"]) for each in probes] == [
        (each["targets"], each["labels"]) for each in blackbox["static_configs"]
    ]


def _name(document: Json) -> str:
    metadata = document["metadata"]
    assert isinstance(metadata, dict)
    return str(metadata["name"])
