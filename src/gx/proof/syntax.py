"""What the text of a query says by itself, before anybody is asked."""

import re
from collections.abc import Iterator
from typing import Final

import promql_parser as ast

COMPARISONS: Final = frozenset({">", "<", ">=", "<=", "==", "!="})
_ESCAPE: Final = re.compile(r"\\(.)")
_ESCAPED_QUOTES: Final = {'"': r"\x22", "'": r"\x27"}


def parse(query: str) -> ast.Expr:
    """Parse a query so that the text of each of its parts can be asked.

    The parser's text of a string has lost its escapes: they are doubled beforehand, so that one
    of each two is left, and quotes become numbers.

    Raises:
        ValueError: It is no PromQL.
    """
    return ast.parse(_ESCAPE.sub(_double, query))


def _double(escape: re.Match[str]) -> str:
    character = escape[1]
    kept = character if character != "\\" else "\\\\"
    return _ESCAPED_QUOTES.get(character, "\\\\" + kept)


def is_scalar(node: ast.Expr) -> bool:
    """Say whether an expression is one number, without labels."""
    match node:
        case ast.NumberLiteral():
            return True
        case ast.ParenExpr() | ast.UnaryExpr():
            return is_scalar(node.expr)
        case ast.Call():
            return node.func.name in {"time", "scalar"}
        case ast.BinaryExpr():
            return is_scalar(node.lhs) and is_scalar(node.rhs)
        case _:
            return False


def is_filter(node: ast.Expr) -> bool:
    """Say whether an expression lets through what meets a condition."""
    match node:
        case ast.ParenExpr():
            return is_filter(node.expr)
        case ast.BinaryExpr():
            return str(node.op).strip() in COMPARISONS
        case _:
            return False


def matchers(node: ast.VectorSelector) -> Iterator[tuple[str, str]]:
    """Yield the label and the text of each matcher."""
    for each in node.matchers.matchers:
        yield each.name, str(each)


def is_equal(matcher: ast.Matcher) -> bool:
    """Say whether a matcher asks for one value."""
    return bool(matcher.op == ast.MatchOp.Equal)
