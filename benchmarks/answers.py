"""An answer: a ratio or a value with its spread, its target, and whether the target is met."""

from collections.abc import Iterator, Sequence

import msgspec

from benchmarks.figures import Spread


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a table. `figure` is the absolute value, which is this machine's alone."""

    question: str
    name: str
    figure: str
    value: Spread
    unit: str
    target: float | None = None
    is_upper_bound: bool = False

    @property
    def is_met(self) -> bool | None:
        """Tell whether the median reaches the target; None without one."""
        if self.target is None:
            return None
        median = self.value.median
        return median <= self.target if self.is_upper_bound else median >= self.target

    @property
    def target_text(self) -> str:
        """Return the target as text."""
        if self.target is None:
            return "-"
        return f"{'≤' if self.is_upper_bound else '≥'} {self.target:g}{_unit(self.unit)}"

    @property
    def verdict(self) -> str:
        """Say whether the target is met."""
        return {None: "-", True: "met", False: "**missed**"}[self.is_met]

    def line(self) -> str:
        """Return the answer as one line for a terminal."""
        found = spread_text(self.value, self.unit)
        verdict = self.verdict.strip("*")
        return f"{self.name:58} {found:26} {self.target_text:>10}  {verdict}"


def _unit(unit: str) -> str:
    return f" {unit}" if unit in {"ms", "s", "MiB"} else unit


def spread_text(value: Spread, unit: str) -> str:
    """Write the median, and the lowest and the highest where there are several rounds."""
    digits = {"ms": 1, "s": 1, "MiB": 0, "x": 2, "/s": 0}.get(unit, 3)
    middle = f"{value.median:.{digits}f}{_unit(unit)}"
    if value.rounds == 1:
        return middle
    return f"{middle} ({value.min:.{digits}f} to {value.max:.{digits}f})"


def answer_tables(answers: Sequence[Answer]) -> Iterator[str]:
    """Write a table for each question."""
    for question in dict.fromkeys(answer.question for answer in answers):
        yield f"## {question}\n"
        yield "| | figure here | ratio or value | target | |\n|---|---|---|---|---|"
        for answer in answers:
            if answer.question == question:
                yield (
                    f"| {answer.name} | {answer.figure} | {spread_text(answer.value, answer.unit)}"
                    f" | {answer.target_text} | {answer.verdict} |"
                )
        yield ""
