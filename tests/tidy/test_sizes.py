"""House rule: what does not fit on a screen is cut into parts with names."""

from typing import Final

from tests.tidy.sources import functions, sources

FUNCTION_LINES_MAX: Final = 40
MODULE_LINES_MAX: Final = 400


def test_no_function_is_longer_than_forty_lines() -> None:
    """A function's docstring does not count: explaining is free."""
    too_long = []
    for source in sources("src"):
        for function in functions(source):
            body = [
                node
                for index, node in enumerate(function.body)
                if not (index == 0 and _is_docstring(node))
            ]
            lines = (function.end_lineno or 0) - body[0].lineno + 1 if body else 0
            if lines > FUNCTION_LINES_MAX:
                too_long.append(f"{source.path}:{function.lineno} {function.name}: {lines} lines")
    assert not too_long, "\n".join(too_long)


def test_no_module_is_longer_than_four_hundred_lines() -> None:
    """A longer module does two things."""
    too_long = [
        f"{source.path}: {lines} lines"
        for source in sources()
        if (lines := len(source.text.splitlines())) > MODULE_LINES_MAX
    ]
    assert not too_long, "\n".join(too_long)


def _is_docstring(node: object) -> bool:
    value = getattr(node, "value", None)
    return isinstance(getattr(value, "value", None), str)
