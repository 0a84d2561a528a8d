"""The cache of state rows: what it holds is what the table holds, and no more than its bound."""

from gx.ledger.local.cache import StateRowCache

_BYTES_MAX = 64_000


def _held_bytes(cache: StateRowCache, keys: list[str]) -> int:
    """Return the bytes of the values that the cache still has."""
    return sum(len(row[1]) for row in map(cache.get, keys) if row is not None)


def test_rows_that_grow_by_flushes_push_others_out() -> None:
    """Read once while they were small, then written ever longer: the bound holds all the same."""
    cache = StateRowCache(_BYTES_MAX)
    keys = [f"key-{number}" for number in range(40)]
    cache.fill([(key, (1, "")) for key in keys], flushes=cache.flushes)
    for version in range(2, 60):
        cache.replace(dict.fromkeys(keys, (version, "x" * 100 * version)), ())
        assert _held_bytes(cache, keys) <= _BYTES_MAX


def test_a_flush_replaces_rows_in_both_generations_and_adds_none() -> None:
    """A row that was read is never older than the table; one that was not read stays out."""
    cache = StateRowCache(_BYTES_MAX)
    cache.fill([("old", (1, "a"))], flushes=cache.flushes)
    filler = [(f"filler-{number}", (1, "x" * 1_000)) for number in range(27)]
    cache.fill(filler, flushes=cache.flushes)
    cache.fill([("young", (1, "a"))], flushes=cache.flushes)
    cache.replace({"old": (2, "b"), "young": (2, "b"), "unread": (2, "b")}, ["filler-26"])
    assert cache.get("old") == cache.get("young") == (2, "b")
    assert cache.get("unread") is None
    assert cache.get("filler-26") is None


def test_what_was_read_before_a_flush_is_not_kept_after_it() -> None:
    """The reader looked at the table before the flush wrote it."""
    cache = StateRowCache(_BYTES_MAX)
    flushes = cache.flushes
    cache.replace({"key": (2, "b")}, ())
    cache.fill([("key", (1, "a"))], flushes=flushes)
    assert cache.get("key") is None
