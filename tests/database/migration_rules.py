"""What a migration may not do while the release before it still works on the database.

An upgrade migrates first and then replaces one process after the other: the older release reads
and writes the new schema all the while. So a migration *expands*; what takes something away, or
demands something of writers, is a *contract* step, and comes when nobody can miss it any more:

    -- gx:contracts NNNN

names the migration with which the first release came that neither reads nor writes what goes. It
must be published. Code that does not know NNNN then refuses to work (`gx.database.schema`).

What holds a lock for as long as a table is large stops everybody, whatever the release. It is no
matter of contracts; `-- gx:allow RULE: reason` takes the blame for one.

The rules read text, statement by statement, and not what is inside functions: that is the
author's to judge.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from typing_extensions import override

from gx.database.migrations import Migration

GROWS: Final = frozenset(
    {
        *("commands", "command_results", "idempotency_keys", "account_entries", "accounts"),
        *("users", "relationships", "organizations", "multisig_transactions", "loans"),
        "proposals",
    }
)
"""Tables with as many rows as there are commands, events or people."""

_COMMENT: Final = re.compile(r"--[^\n]*")
_BODY: Final = re.compile(r"\$(\w*)\$.*?\$\1\$", re.DOTALL)
_LITERAL: Final = re.compile(r"'(?:[^']|'')*'")
_ALLOW: Final = re.compile(r"^-- gx:allow ([a-z-]+): \S.*$", re.MULTILINE)
_CREATED: Final = re.compile(r"^create (?:unlogged )?table (?:if not exists )?([\w.]+)")
_ALTERED: Final = re.compile(r"^alter table (?:if exists )?(?:only )?([\w.]+) (.*)$")
_INDEXED: Final = re.compile(
    r"^create (unique )?index (concurrently )?(?:if not exists )?[\w.]+ on (?:only )?([\w.]+)"
)
_FUNCTION: Final = re.compile(r"^create (?:or replace )?function ([\w.]+) ?\((.*?)\) returns\b")
_VOLATILE: Final = re.compile(r"default \(?(?!now\(\)|current_timestamp)[\w.]+ ?\(")
_ON_TABLE: Final = re.compile(r"^(?:update|delete from|truncate(?: table)?) (?:only )?([\w.]+)")
_TRIGGER: Final = re.compile(r"^create (?:or replace )?(?:constraint )?trigger .*? on ([\w.]+)")


@dataclass(frozen=True, slots=True)
class Rule:
    """`name` is what `gx:allow` takes; a contract step may break it if `is_contract`."""

    name: str
    is_contract: bool
    advice: str


def _contract(name: str, advice: str) -> Rule:
    return Rule(name, is_contract=True, advice=advice)


def _lock(name: str, advice: str) -> Rule:
    return Rule(name, is_contract=False, advice=advice)


REMOVES: Final = _contract("removes", "the older release uses it; remove it in a contract step")
RENAMES: Final = _contract("renames", "add the new name, fill it, and remove the old one later")
CHANGES_TYPE: Final = _contract("changes-type", "add a column of the new type beside it")
DEMANDS: Final = _contract("demands", "older writers do not know of it; give it a default")
CHECKS: Final = _contract("checks", "older writers may break it; add it in a contract step")
LOOSENS: Final = _contract("loosens", "older readers take the column for filled")
OVERLOADS: Final = _contract("overloads", "the older release's call may become ambiguous")
DELETES: Final = _contract("deletes", "the older release may need the rows")
INDEXES: Final = _lock("indexes", "building an index on a large table keeps writers out")
REWRITES: Final = _lock("rewrites", "a large table is written anew under a lock, or validated")
LOCKS: Final = _lock("locks", "it keeps everybody out until the migration commits")

_CONSTRAINT: Final = r"(?:check|unique|primary key|foreign key|exclude)\b"
_CLAUSES: Final[Sequence[tuple[Rule, re.Pattern[str]]]] = (
    (REMOVES, re.compile(r"^drop (?:column )?(?!constraint|not null|default|identity)")),
    (RENAMES, re.compile(r"^rename ")),
    (RENAMES, re.compile(r"^set schema ")),
    (CHANGES_TYPE, re.compile(r"^alter (?:column )?\w+ (?:set data )?type ")),
    (DEMANDS, re.compile(r"^alter (?:column )?\w+ (?:set not null|drop default)")),
    (LOOSENS, re.compile(r"^alter (?:column )?\w+ drop not null")),
    (DEMANDS, re.compile(r"^add (?:column )?(?!constraint)(?!.*default).*\bnot null\b")),
    (CHECKS, re.compile(r"^add (?:constraint \w+ )?" + _CONSTRAINT)),
    (CHECKS, re.compile(rf"^add (?!constraint|{_CONSTRAINT}).* (?:references|{_CONSTRAINT})")),
    (LOCKS, re.compile(r"^(?:set tablespace|set logged|set unlogged|detach partition)")),
)  # fmt: skip
_REWRITING: Final[Sequence[re.Pattern[str]]] = (
    re.compile(r"^add (?:column )?(?!constraint).*" + _VOLATILE.pattern),
    re.compile(r"^add (?:column )?(?!constraint).*generated always as .* stored"),
    re.compile(r"^alter (?:column )?\w+ (?:set data )?type "),
    re.compile(r"^alter (?:column )?\w+ set not null"),
    re.compile(r"^add (?:constraint \w+ )?(?:check|foreign key)\b(?!.*not valid)"),
    re.compile(r"^validate constraint"),
)
_PLAIN: Final[Sequence[tuple[Rule, re.Pattern[str]]]] = (
    (REMOVES, re.compile(r"^drop (?!index|trigger)")),
    (REMOVES, re.compile(r"^revoke ")),
    (RENAMES, re.compile(r"^alter (?!table )\w+ .*\brename ")),
    (CHANGES_TYPE, re.compile(r"^alter (?:type|domain) ")),
    (LOCKS, re.compile(r"^(?:lock |vacuum full|cluster|reindex (?!.*concurrently))")),
)


@dataclass(frozen=True, slots=True)
class Breach:
    """One statement that breaks a rule."""

    migration: str
    rule: Rule
    statement: str

    @override
    def __str__(self) -> str:
        """Say what, where and what to do."""
        return f"{self.migration}: {self.rule.name}: {self.statement[:100]}: {self.rule.advice}"


@dataclass(slots=True)
class Schema:
    """What the migrations before have made, as far as the rules ask."""

    functions: dict[str, set[str]] = field(default_factory=dict)


def breaches(
    migrations: Sequence[Migration], *, published: Mapping[str, object]
) -> Sequence[Breach | str]:
    """List what no migration may do, in order; `published` has the names of the release before."""
    schema = Schema()
    found: list[Breach | str] = []
    known = {name[:4] for name in published}
    for migration in migrations:
        broken = list(_of_one(migration, schema))
        allowed = set(_ALLOW.findall(migration.sql))
        step = migration.contracts
        if step is not None and (step not in known or step >= migration.version):
            found.append(f"{migration.name} contracts {step}, which no published release has")
            step = None
        found += [
            breach
            for breach in broken
            if breach.rule.name not in allowed and not (breach.rule.is_contract and step)
        ]
        unneeded = allowed - {breach.rule.name for breach in broken}
        found += [f"{migration.name} allows {name}, and does none" for name in sorted(unneeded)]
        if step is not None and not any(breach.rule.is_contract for breach in broken):
            found.append(f"{migration.name} is a contract step, and contracts nothing")
    return found


def statements(sql: str) -> Iterator[str]:
    """Yield the statements in lower case on one line, without comments, bodies and literals."""
    plain = _LITERAL.sub("''", _COMMENT.sub("", _BODY.sub("$$", sql)))
    for statement in plain.split(";"):
        words = " ".join(statement.lower().split())
        if words:
            yield words


def _of_one(migration: Migration, schema: Schema) -> Iterator[Breach]:
    created: set[str] = set()
    for statement in statements(migration.sql):
        if made := _CREATED.match(statement):
            created.add(made[1])
        for rule in _broken_by(statement, created, schema):
            yield Breach(migration.name, rule, statement)


def _broken_by(statement: str, created: set[str], schema: Schema) -> Iterator[Rule]:
    if altered := _ALTERED.match(statement):
        yield from _broken_by_alteration(altered[1], altered[2], created)
    elif indexed := _INDEXED.match(statement):
        yield from _broken_by_index(indexed, created)
    elif function := _FUNCTION.match(statement):
        yield from _broken_by_function(function[1], function[2], schema)
    elif written := _ON_TABLE.match(statement):
        yield from _broken_by_write(statement, written[1], created)
    elif (trigger := _TRIGGER.match(statement)) and trigger[1] not in created:
        yield CHECKS
    yield from (rule for rule, pattern in _PLAIN if pattern.match(statement))


def _broken_by_alteration(table: str, clauses: str, created: set[str]) -> Iterator[Rule]:
    if table not in created:
        for clause in _split(clauses):
            yield from _broken_by_clause(clause, is_large=table in GROWS)


def _broken_by_clause(clause: str, *, is_large: bool) -> Iterator[Rule]:
    yield from (rule for rule, pattern in _CLAUSES if pattern.match(clause))
    if is_large and any(pattern.match(clause) for pattern in _REWRITING):
        yield REWRITES


def _broken_by_index(indexed: re.Match[str], created: set[str]) -> Iterator[Rule]:
    is_unique, is_concurrent, table = indexed.groups()
    if table in created:
        return
    if is_unique:
        yield CHECKS
    if table in GROWS and not is_concurrent:
        yield INDEXES


def _broken_by_function(name: str, parameters: str, schema: Schema) -> Iterator[Rule]:
    earlier = schema.functions.setdefault(name, set())
    if earlier - {parameters} and "default" in parameters:
        yield OVERLOADS
    earlier.add(parameters)


def _broken_by_write(statement: str, table: str, created: set[str]) -> Iterator[Rule]:
    if table in created:
        return
    if not statement.startswith("update"):
        yield DELETES
    if table in GROWS:
        yield REWRITES


def _split(clauses: str) -> Iterator[str]:
    """Split the actions of one ALTER TABLE at the commas that are in no brackets."""
    depth, begun = 0, 0
    for place, letter in enumerate(clauses):
        depth += (letter == "(") - (letter == ")")
        if letter == "," and depth == 0:
            yield clauses[begun:place].strip()
            begun = place + 1
    yield clauses[begun:].strip()
