"""Proposed thresholds as a patch that somebody reads before it is applied."""

import difflib
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from gx.domain.errors import GxError
from gx.monitoring import thresholds
from gx.proof.baseline.proposals import Baseline, Trial

PARAMETERS: Final = "src/gx/monitoring/thresholds.py"


class ParameterError(GxError):
    """A threshold is not declared where it should be; the text says which and where."""


def render_patch(baselines: Iterable[Baseline]) -> str:
    """Write what is proposed as a unified diff with its reasons above it; empty for nothing.

    `git apply` takes it at the root of the checkout; nothing is changed here.

    Raises:
        ParameterError: A threshold's declaration is not found.
    """
    proposed = [each for each in baselines if each.proposed is not None]
    if not proposed:
        return ""
    before = Path(thresholds.__file__).read_text(encoding="utf-8")
    after = before
    for each in proposed:
        after = _changed(after, each)
    reasons = "".join(f"{line}\n" for each in proposed for line in _reasons(each))
    lines = difflib.unified_diff(
        before.splitlines(keepends=True),
        after.splitlines(keepends=True),
        fromfile=f"a/{PARAMETERS}",
        tofile=f"b/{PARAMETERS}",
    )
    return f"{reasons}Apply it with `git apply`, then `make generate`.\n\n{''.join(lines)}"


def _changed(source: str, baseline: Baseline) -> str:
    declaration = re.compile(rf"(?m)^({baseline.name}: Final = Threshold\(default=)[^,]+(?=,)")
    changed, count = declaration.subn(rf"\g<1>{_literal(baseline.proposed or 0)}", source)
    if count != 1:
        raise ParameterError(f"{PARAMETERS} does not declare {baseline.name} on a line of its own")
    return changed


def _literal(value: float) -> str:
    """Write a number as the parameters do."""
    return f"{int(value):_}" if float(value).is_integer() else f"{value!r}"


def _reasons(baseline: Baseline) -> Iterator[str]:
    yield f"{baseline.name} ({baseline.alert}): {baseline.current:g} -> {baseline.proposed:g}"
    for trial in baseline.trials:
        if trial.value in {baseline.current, baseline.proposed}:
            yield f"  {trial.value:g}: {_outcome(trial)}"


def _outcome(trial: Trial) -> str:
    missed = ", ".join(trial.missed) or "nothing"
    return (
        f"{trial.notifications} notifications, {trial.false_per_week or 0:g} a week "
        f"outside of incidents, missed: {missed}"
    )
