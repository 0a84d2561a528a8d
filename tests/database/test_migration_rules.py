"""Migrations expand: the release before works on, until nobody needs what a contract step takes."""

from pathlib import Path
from typing import Final

import pytest

from gx.database.migrations import Migration, load_migrations
from tests.database.migration_rules import Breach, breaches, statements
from tests.upgrade.previous import load_previous

EXCUSED: Final = {
    (
        "0006_arguments_are_text.sql",
        "checks",
    ): "it demands something of writers, so it is a contract step by these rules. It came with"
    " the first release, before which there was no other writer, and no release ever wrote"
    " anything else; a later release would have to name the step with which writers comply",
}
"""What the first release did before there was one to break. A published file cannot change."""

FUNCTION: Final = "CREATE FUNCTION f({}) RETURNS int LANGUAGE sql AS $$ $$;"
PUBLISHED: Final = {"0001_first.sql": b"", "0002_second.sql": b""}


def test_no_migration_takes_away_what_the_release_before_uses() -> None:
    """Nor does one hold a lock for as long as a table is large, unless it says why it may."""
    found = breaches(load_migrations(), published=load_previous().migrations())

    told = [
        each
        for each in found
        if not (isinstance(each, Breach) and (each.migration, each.rule.name) in EXCUSED)
    ]
    assert not told, "\n".join(str(each) for each in told)


def test_every_excuse_is_needed_and_of_the_first_release() -> None:
    """An excuse for what is not done, or could still be changed, would hide the next breach."""
    found = breaches(load_migrations(), published=load_previous().migrations())
    broken = {(each.migration, each.rule.name) for each in found if isinstance(each, Breach)}

    assert EXCUSED.keys() <= broken
    assert {migration for migration, _ in EXCUSED} <= load_previous().migrations().keys()


def of(folder: Path, sql: str, *, name: str = "0003_third.sql") -> list[str]:
    """Return the names of the rules that a new migration breaks, or what is wrong with it."""
    path = folder / name
    path.write_text(sql, encoding="utf-8")
    return [
        each.rule.name if isinstance(each, Breach) else each
        for each in breaches([Migration(path)], published=PUBLISHED)
    ]


@pytest.mark.parametrize(
    "sql",
    [
        "CREATE TABLE m (n text NOT NULL CHECK (n <> '')); ALTER TABLE m DROP COLUMN n;",
        "CREATE TABLE m (n text PRIMARY KEY); CREATE UNIQUE INDEX i ON m (n); DELETE FROM m;",
        "ALTER TABLE accounts ADD COLUMN note text;",
        "ALTER TABLE accounts ADD COLUMN n bigint NOT NULL DEFAULT 0, ADD COLUMN at_ms bigint;",
        "ALTER TABLE accounts ADD COLUMN at timestamptz NOT NULL DEFAULT now();",
        "ALTER TABLE accounts DROP CONSTRAINT accounts_odd;",
        "CREATE INDEX leases_holder ON leases (holder);",
        "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS $$ DROP TABLE accounts; $$;",
        "-- DROP TABLE accounts;\nINSERT INTO notes VALUES ('DROP TABLE accounts; ');",
        "UPDATE leases SET holder = holder;",
    ],
)
def test_what_expands_is_free(tmp_path: Path, sql: str) -> None:
    """New tables, columns with defaults, and whatever the older release need not know."""
    assert of(tmp_path, sql) == []


@pytest.mark.parametrize(
    ("sql", "rules"),
    [
        ("DROP TABLE accounts;", ["removes"]),
        ("DROP FUNCTION now_ms();", ["removes"]),
        ("ALTER TABLE leases DROP COLUMN holder;", ["removes"]),
        ("ALTER TABLE leases DROP holder;", ["removes"]),
        ("ALTER TABLE leases RENAME COLUMN holder TO owner;", ["renames"]),
        ("ALTER TABLE leases RENAME TO rights;", ["renames"]),
        ("ALTER TABLE leases SET SCHEMA other;", ["renames"]),
        ("ALTER FUNCTION now_ms() RENAME TO ms;", ["renames"]),
        ("ALTER TABLE leases ALTER COLUMN epoch TYPE integer;", ["changes-type"]),
        ("ALTER TABLE accounts ALTER balance SET DATA TYPE text;", ["changes-type", "rewrites"]),
        ("ALTER TABLE leases ADD COLUMN n bigint NOT NULL;", ["demands"]),
        ("ALTER TABLE leases ADD n text, ADD COLUMN m int NOT NULL;", ["demands"]),
        ("ALTER TABLE leases ALTER COLUMN holder SET NOT NULL;", ["demands"]),
        ("ALTER TABLE leases ALTER COLUMN holder DROP DEFAULT;", ["demands"]),
        ("ALTER TABLE leases ALTER COLUMN holder DROP NOT NULL;", ["loosens"]),
        ("ALTER TABLE leases ADD CONSTRAINT c CHECK (epoch > 0);", ["checks"]),
        ("ALTER TABLE leases ADD CHECK (epoch > 0) NOT VALID;", ["checks"]),
        ("ALTER TABLE users ADD CONSTRAINT c CHECK (age > 0);", ["checks", "rewrites"]),
        ("ALTER TABLE users ADD CONSTRAINT c UNIQUE (age);", ["checks"]),
        ("ALTER TABLE users ADD COLUMN n int REFERENCES leases;", ["checks"]),
        ("CREATE UNIQUE INDEX c ON leases (holder);", ["checks"]),
        ("CREATE TRIGGER c BEFORE INSERT ON leases EXECUTE FUNCTION f();", ["checks"]),
        ("CREATE INDEX c ON account_entries (kind);", ["indexes"]),
        ("ALTER TABLE users ADD COLUMN at_ms bigint DEFAULT now_ms();", ["rewrites"]),
        ("ALTER TABLE users VALIDATE CONSTRAINT c;", ["rewrites"]),
        ("UPDATE accounts SET kind = '';", ["rewrites"]),
        ("DELETE FROM leases;", ["deletes"]),
        ("TRUNCATE accounts;", ["deletes", "rewrites"]),
        ("LOCK TABLE leases;", ["locks"]),
        ("REVOKE SELECT ON leases FROM gx;", ["removes"]),
        (f"{FUNCTION.format('a int')} {FUNCTION.format('a int, b int DEFAULT 1')}", ["overloads"]),
    ],
)
def test_what_the_release_before_would_feel_is_refused(
    tmp_path: Path, sql: str, rules: list[str]
) -> None:
    """Each kind of contracting statement, and each long lock, is recognised."""
    assert of(tmp_path, sql) == rules


def test_a_contract_step_names_a_published_step(tmp_path: Path) -> None:
    """Then every release that may still run has left off what goes."""
    removing = "ALTER TABLE leases DROP COLUMN holder;"

    assert of(tmp_path, f"-- gx:contracts 0002\n{removing}") == []
    assert of(tmp_path, f"-- gx:contracts 0003\n{removing}")[1:] == ["removes"]
    assert "no published release" in of(tmp_path, f"-- gx:contracts 0009\n{removing}")[0]
    assert "contracts nothing" in of(tmp_path, "-- gx:contracts 0002\nSELECT 1;")[0]


def test_no_contract_step_may_hold_a_long_lock(tmp_path: Path) -> None:
    """That stops the newer release too; whoever must do it says why."""
    long = "CREATE INDEX c ON account_entries (kind);"

    assert of(tmp_path, f"-- gx:contracts 0002\nDROP TABLE leases;\n{long}") == ["indexes"]
    assert of(tmp_path, f"-- gx:allow indexes: run in a pause\n{long}") == []
    assert "does none" in of(tmp_path, "-- gx:allow indexes: run in a pause\nSELECT 1;")[0]


def test_statements_are_told_from_comments_bodies_and_texts() -> None:
    """What merely mentions a statement is none."""
    sql = "-- a; b\nSELECT ';', $x$ DROP TABLE c; $x$;  ALTER\n TABLE d; "

    assert list(statements(sql)) == ["select '', $$", "alter table d"]
