"""Only a whole measurement writes the committed pages unasked."""

from pathlib import Path
from typing import Final

import pytest

from benchmarks import fabric, run, soak

FOLDER: Final = Path("somewhere")


@pytest.mark.parametrize("arguments", [[], ["--profile"], ["--rounds", "3"], ["--render"]])
def test_a_whole_benchmark_writes_the_committed_page(
    arguments: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """So does a page that is only rendered anew: its figures are the committed ones."""
    monkeypatch.setattr(run, "has_profiler", lambda: True)
    told = run.read_options(arguments)

    assert (told.results, told.pages) == (run.RESULTS, run.PAGES)


@pytest.mark.parametrize(
    "arguments", [["--quick"], ["--rounds", "2"], ["--quick", "--rounds", "5"]]
)
def test_a_partial_benchmark_leaves_the_committed_page_alone(arguments: list[str]) -> None:
    """Figures that scatter replace no others."""
    told = run.read_options(arguments)

    assert told.results == told.pages == run.PARTIAL


def test_an_output_that_is_named_is_taken() -> None:
    """Whoever names a folder gets everything there, however much was measured."""
    told = [run.read_options([*each, "--output", "somewhere"]) for each in ([], ["--quick"])]

    assert {each.results for each in told} | {each.pages for each in told} == {FOLDER}
    assert soak.read_options(["--output", "somewhere"]).output == FOLDER


def test_only_a_whole_soak_writes_the_committed_page() -> None:
    """Two minutes, or a rate that somebody chose, say nothing of twenty at half load."""
    assert soak.read_options([]).output == soak.OUTPUT
    assert soak.read_options(["--minutes", "30"]).output == soak.OUTPUT
    assert soak.read_options(["--minutes", "2"]).output == soak.PARTIAL
    assert soak.read_options(["--rate", "100"]).output == soak.PARTIAL


@pytest.mark.parametrize("arguments", [[], ["--rounds", "5"], ["--render"]])
def test_a_whole_fabric_benchmark_writes_the_committed_page(arguments: list[str]) -> None:
    """So does a page that is only rendered anew."""
    told = fabric.read_options(arguments)

    assert (told.results, told.page) == (fabric.RESULTS, fabric.PAGE)


@pytest.mark.parametrize("arguments", [["--smoke"], ["--rounds", "1"], ["--accounts", "1000"]])
def test_a_partial_fabric_benchmark_leaves_the_committed_page_alone(arguments: list[str]) -> None:
    """Both its files go where nothing is committed."""
    told = fabric.read_options(arguments)

    assert {told.results.parent, told.page.parent} == {fabric.PARTIAL}
