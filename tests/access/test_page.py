"""The page that people read says what the table says."""

from pathlib import Path
from typing import Final

from gx.operations.access_reference import render_access
from tests.access.declared import declared_routes
from tests.access.table import COMMAND_RULES, READ_RULES, CommandRule

PAGE: Final = Path(__file__).parents[2] / "docs" / "reference" / "access.md"
ROLES: Final = ("user", "partner", "admin", "super_admin")


def rows() -> dict[str, list[str]]:
    """Read the page's rows by their route."""
    lines = [line for line in PAGE.read_text().splitlines() if line.startswith("| `")]
    cells = [line.strip("| ").split(" | ") for line in lines]
    return {cell.strip("`"): row for row in cells for cell in row[:2] if "/" in cell}


def test_the_page_is_fresh() -> None:
    """`make generate` writes it; what is committed is what the declarations say now."""
    assert PAGE.read_text(encoding="utf-8") == render_access()


def test_the_page_says_what_the_table_says() -> None:
    """Row by row, role by role."""
    page, routes = rows(), declared_routes()
    rules = {rule.route: rule for rule in (*COMMAND_RULES, *READ_RULES)}
    assert page.keys() == {f"{route.method} {route.path}" for route in routes.values()}
    for name, route in routes.items():
        rule, row = rules[name], page[f"{route.method} {route.path}"]
        if isinstance(rule, CommandRule):
            assert row[0] == f"`{rule.command}`"
            signers = {signer.strip("`") for signer in row[6].split(", ")}
            assert signers == set(rule.signers), name
        admitted = rule.tokens or ROLES
        assert row[2:6] == ["yes" if role in admitted else "-" for role in ROLES], name
        if not isinstance(rule, CommandRule):
            assert row[1] == ("-" if rule.tokens else "yes"), name
