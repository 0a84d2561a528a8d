"""The project's own Python files, read once for every house rule."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
SOURCE: Final = ROOT / "src" / "gx"


@dataclass(frozen=True, slots=True)
class Source:
    """One file: its path from the project's root and its text."""

    path: str
    text: str

    @property
    def tree(self) -> ast.Module:
        """The syntax tree, parsed anew each time.

        Those of the whole project are a million objects, which would slow down every other
        test of this process if they were kept.
        """
        return ast.parse(self.text, filename=self.path)


@cache
def sources(*folders: str) -> tuple[Source, ...]:
    """Read every Python file below the folders (`src` and `tests` by default)."""
    found = []
    for folder in folders or ("src", "tests", "benchmarks"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            text = path.read_text(encoding="utf-8")
            name = path.relative_to(ROOT).as_posix()
            found.append(Source(name, text))
    return tuple(found)


def functions(source: Source) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """List the functions and methods of a file."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


@cache
def strings(source: Source) -> tuple[tuple[int, str], ...]:
    """List the string literals of a file with their lines, its docstrings left out."""
    tree = source.tree
    documentation = {
        id(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    return tuple(
        (node.lineno, node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and id(node) not in documentation
    )
