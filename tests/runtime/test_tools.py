"""Where the monitoring programs come from, and what is said where they cannot be had."""

import asyncio
import json
import os
import re
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import httpx
import pytest

from gx.database.tether import find_account
from gx.runtime import prometheus
from gx.runtime.debian import AptFetcher, FetchError, require_programs, run_program, unpack
from gx.runtime.tools import (
    SHARED_FOLDER,
    WORKING_FOLDER,
    Program,
    Tool,
    find_tools,
    program_version,
    relocate,
)
from tests.ports import free_port

NOWHERE: Final = "/nonexistent"  # a search path without programs


class OfflineFetcher:
    """A fetcher on a machine without a network."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def fetch(self, packages: Sequence[str], into: Path) -> None:
        """Fail as apt does."""
        assert into.is_dir()
        self.asked += packages
        raise FetchError("apt-get failed: Could not resolve 'deb.debian.org'")


class ScriptFetcher:
    """A fetcher of packages whose programs are shell scripts that know their version."""

    def __init__(self, *, answer: str = "version 1.2.3") -> None:
        self.asked: list[str] = []
        self._answer = answer

    def fetch(self, packages: Sequence[str], into: Path) -> None:
        """Build each package that is asked for."""
        self.asked += packages
        for package in packages:
            self._build(package, into)

    def _build(self, package: str, into: Path) -> None:
        tree = into.parent / f"source-{package}"
        (tree / "DEBIAN").mkdir(parents=True)
        (tree / "usr" / "bin").mkdir(parents=True)
        (tree / "DEBIAN" / "control").write_text(
            f"Package: {package}\nVersion: 1\nArchitecture: all\n"
            "Maintainer: a test <test@example.org>\nDescription: a test\n"
        )
        names = {"prometheus": ("prometheus", "promtool"), "prometheus-alertmanager": ("amtool",)}
        for name in {package, *names.get(package, ())}:
            program = tree / "usr" / "bin" / name
            program.write_text(f"#!/bin/sh\necho '{self._answer}'\n")
            program.chmod(0o755)
        command = ["dpkg-deb", "--root-owner-group", "-b", str(tree), str(into)]
        run_program(command, folder=into, timeout_s=30)


@pytest.mark.parametrize(
    ("answer", "version"),
    [
        ("prometheus, version 2.42.0+ds (branch: debian/sid)", "2.42.0+ds"),
        (
            'time="now" level=info msg="Redis Metrics Exporter 1.45.0-2+b4    build date: x"',
            "1.45.0-2+b4",
        ),
        ("usage: something else", None),
    ],
)
def test_a_programs_version_is_read_from_its_own_words(
    answer: str, version: str | None, tmp_path: Path
) -> None:
    """They do not all say it alike; one that says none does not count as started."""
    program = tmp_path / "program"
    program.write_text(f"#!/bin/sh\necho '{answer}'\n")
    program.chmod(0o755)

    assert program_version(program) == version


@pytest.fixture(autouse=True)
def dpkg() -> None:
    """Skip where Debian's own tools are missing."""
    try:
        require_programs("dpkg-deb", "apt-get")
    except FetchError as error:
        pytest.skip(str(error))


def test_an_offline_machine_is_told_what_to_install_and_goes_on(tmp_path: Path) -> None:
    """Packages, command and reason; no exception; nothing half-made in the cache."""
    fetcher = OfflineFetcher()

    toolbox = find_tools(tmp_path, fetcher=fetcher, search_path=NOWHERE)

    assert toolbox.tools == {}
    assert toolbox.advice is not None
    for part in (
        "apt-get install --no-install-recommends prometheus prometheus-alertmanager",
        "promtool, prometheus-alertmanager, amtool",
        "Could not resolve",
        "port 9090",
    ):
        assert part in toolbox.advice
    assert {path.name for path in (tmp_path / "debian").iterdir()} == {"lock"}


def test_fetched_programs_are_remembered(tmp_path: Path) -> None:
    """Only the first start is online."""
    first = ScriptFetcher()
    lines: list[str] = []

    fetched = find_tools(tmp_path, fetcher=first, search_path=NOWHERE, report=lines.append)
    again = find_tools(tmp_path, fetcher=OfflineFetcher(), search_path=NOWHERE)

    assert set(fetched.tools) == set(Program)
    assert fetched.advice is None
    assert again == fetched
    assert fetched.tools[Program.AMTOOL].version == "1.2.3"
    assert "fetching Debian's prometheus " in lines[0]


def test_a_program_that_does_not_start_is_not_remembered(tmp_path: Path) -> None:
    """A package for another machine must not spoil every later start."""
    broken = find_tools(tmp_path, fetcher=ScriptFetcher(answer="?"), search_path=NOWHERE)

    assert broken.tools == {}
    assert broken.advice is not None
    assert "does not start on this machine" in broken.advice
    assert set(find_tools(tmp_path, fetcher=ScriptFetcher(), search_path=NOWHERE).tools)


def test_programs_on_the_path_come_first(tmp_path: Path) -> None:
    """What the user installed is used, under upstream's names too; only the rest is fetched."""
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ("prometheus", "promtool", "blackbox_exporter"):
        (programs / name).write_text("#!/bin/sh\necho version 3.0.0\n")
        (programs / name).chmod(0o755)
    fetcher = ScriptFetcher()

    toolbox = find_tools(tmp_path / "cache", fetcher=fetcher, search_path=str(programs))

    assert toolbox.tools[Program.PROMETHEUS].path == programs / "prometheus"
    assert toolbox.tools[Program.PROMETHEUS].pages_prefix == ""
    assert toolbox.tools[Program.BLACKBOX].path == programs / "blackbox_exporter"
    assert fetcher.asked == [
        "prometheus-alertmanager",
        "prometheus-postgres-exporter",
        "prometheus-node-exporter",
        "prometheus-redis-exporter",
    ]


def test_a_cache_that_lost_a_program_is_filled_again(tmp_path: Path) -> None:
    """A half-deleted cache repairs itself."""
    tool = find_tools(tmp_path, fetcher=ScriptFetcher(), search_path=NOWHERE).tools
    tool[Program.PROMTOOL].path.unlink()

    repaired = find_tools(tmp_path, fetcher=ScriptFetcher(), search_path=NOWHERE)

    assert repaired.tools[Program.PROMTOOL].path.is_file()


def test_a_compiled_in_folder_becomes_the_working_folder(tmp_path: Path) -> None:
    """The replacement is as long as the original, or every string behind it would move."""
    program = tmp_path / "prometheus"
    program.write_bytes(b"a" + SHARED_FOLDER + b"web/b" + SHARED_FOLDER)
    before = program.stat().st_size

    assert relocate(program)
    assert program.read_bytes() == b"a" + WORKING_FOLDER + b"web/b" + WORKING_FOLDER
    assert program.stat().st_size == before
    assert Path(os.fsdecode(WORKING_FOLDER), "web") == Path("web")
    assert not relocate(program)


def test_a_cache_that_cannot_be_written_is_still_read(tmp_path: Path) -> None:
    """A cache that root filled serves an ordinary user, and a broken one stops nobody."""
    find_tools(tmp_path, fetcher=ScriptFetcher(), search_path=NOWHERE)
    lock = tmp_path / "debian" / "lock"
    lock.unlink()
    lock.mkdir()  # cannot be opened, by root either

    assert set(find_tools(tmp_path, fetcher=OfflineFetcher(), search_path=NOWHERE).tools) == set(
        Program
    )
    (tmp_path / "file").write_text("")
    toolbox = find_tools(tmp_path / "file", fetcher=OfflineFetcher(), search_path=NOWHERE)
    assert toolbox.advice is not None
    assert "Not a directory" in toolbox.advice


def test_a_damaged_package_is_an_error(tmp_path: Path) -> None:
    """A torn download is never unpacked in part without a word."""
    (tmp_path / "torn.deb").write_bytes(b"!<arch>\n")

    with pytest.raises(FetchError, match="dpkg-deb failed"):
        unpack(tmp_path, tmp_path / "tree")


@pytest.fixture(scope="session")
def real_tools() -> dict[Program, Tool]:
    """The real programs, from the checkout's cache or fetched into it."""
    checkout = Path(__file__).resolve().parents[2]
    toolbox = find_tools(checkout / ".cache", search_path=NOWHERE)
    if toolbox.advice is not None:
        pytest.skip(toolbox.advice)
    return dict(toolbox.tools)


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_apt_fetches_with_private_lists_where_the_machine_has_none(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A fresh container has no package lists, and nothing of apt's own may be written."""
    empty = tmp_path / "machine"
    (empty / "partial").mkdir(parents=True)
    configuration = tmp_path / "apt.conf"
    configuration.write_text(f'Dir::State::lists "{empty}";\n')
    monkeypatch.setenv("APT_CONFIG", str(configuration))
    downloads = tmp_path / "downloads"
    downloads.mkdir()

    try:
        AptFetcher(tmp_path / "apt").fetch(["libjs-jquery-hotkeys"], downloads)
    except FetchError as error:
        pytest.skip(f"Debian's mirror cannot be reached: {error}")

    unpack(downloads, tmp_path / "tree")
    assert list((tmp_path / "tree").rglob("jquery.hotkeys*.js"))
    assert [path.name for path in empty.iterdir()] == ["partial"]


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.skipif(os.geteuid() != 0, reason="only root can change its user")
def test_an_ordinary_user_fetches_without_root(reachable_folder: Path) -> None:
    """`make run` never asks for a password."""
    account = find_account(["nobody"])
    assert account is not None
    os.chown(reachable_folder, account.uid, account.gid)
    code = (
        "import sys; from pathlib import Path; from gx.runtime.debian import AptFetcher;"
        "into = Path(sys.argv[1]); (into / 'd').mkdir();"
        "AptFetcher(into / 'apt').fetch(['libjs-jquery-hotkeys'], into / 'd')"
    )
    answer = subprocess.run(
        ["/usr/bin/python3.11", "-c", code, str(reachable_folder)],
        env={"PYTHONPATH": os.pathsep.join(sys.path), "PATH": os.defpath},
        capture_output=True,
        text=True,
        check=False,
        user=account.uid,
        group=account.gid,
        extra_groups=[],
    )
    if "apt-get failed" in answer.stderr:
        pytest.skip(f"Debian's mirror cannot be reached: {answer.stderr[-200:]}")
    assert answer.returncode == 0, answer.stderr
    assert list((reachable_folder / "d").glob("*.deb"))


@asynccontextmanager
async def serving(
    command: Sequence[str], ready_url: str, folder: Path | None
) -> AsyncIterator[None]:
    """Run a program until it is ready, then stop it."""
    process = await asyncio.create_subprocess_exec(
        *command, cwd=folder, stderr=asyncio.subprocess.DEVNULL
    )
    try:
        async with asyncio.timeout(20), httpx.AsyncClient(trust_env=False) as client:
            while not await answers(client, ready_url):  # noqa: ASYNC110 (another process sets no event)
                await asyncio.sleep(0.05)
        yield
    finally:
        process.terminate()
        await process.wait()


async def answers(client: httpx.AsyncClient, url: str) -> bool:
    """Say whether the address answers 200."""
    try:
        return (await client.get(url)).status_code == httpx.codes.OK
    except httpx.TransportError:
        return False


@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_the_pages_of_an_unpacked_prometheus_work(
    real_tools: dict[Program, Tool], tmp_path: Path
) -> None:
    """Each page that we point people to answers, and so does each file that it loads."""
    tool = real_tools[Program.PROMETHEUS]
    configuration = tmp_path / "prometheus.yml"
    await asyncio.to_thread(configuration.write_text, "global: {scrape_interval: 1s}\n")
    port = free_port()
    command = prometheus.prometheus_command(
        tool, configuration=configuration, storage=tmp_path / "data", port=port, retention_days=45
    )
    url = f"http://127.0.0.1:{port}"

    async with (
        serving(command, f"{url}/-/ready", tool.working_folder),
        httpx.AsyncClient(base_url=url, trust_env=False) as client,
    ):
        assert tool.pages_prefix is not None
        for page in ("targets", "alerts", "graph", "rules", "status"):
            answer = await client.get(f"{tool.pages_prefix}/{page}")
            assert answer.status_code == httpx.codes.OK, page
            for asset in re.findall(r'(?:src|href)="([^"]*/static/[^"]*)"', answer.text):
                assert (await client.get(asset)).status_code == httpx.codes.OK, asset
        flags = (await client.get("/api/v1/status/flags")).json()["data"]
    assert flags["storage.tsdb.retention.time"] == "45d"
    assert flags["web.listen-address"] == f"127.0.0.1:{port}"


@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_alertmanager_and_blackbox_start_with_our_command_lines(
    real_tools: dict[Program, Tool], tmp_path: Path
) -> None:
    """Every flag is one that these versions know."""
    alertmanager, blackbox = tmp_path / "alertmanager.yml", tmp_path / "blackbox.yml"
    await asyncio.to_thread(alertmanager.write_text, json.dumps(A_ROUTE))
    await asyncio.to_thread(
        blackbox.write_text, json.dumps({"modules": {"tcp": {"prober": "tcp"}}})
    )
    ports = free_port(), free_port()

    alertmanager_command = prometheus.alertmanager_command(
        real_tools[Program.ALERTMANAGER],
        configuration=alertmanager,
        storage=tmp_path / "alertmanager",
        port=ports[0],
    )
    blackbox_command = prometheus.blackbox_command(
        real_tools[Program.BLACKBOX], configuration=blackbox, port=ports[1]
    )
    folder = real_tools[Program.ALERTMANAGER].working_folder
    async with serving(alertmanager_command, f"http://127.0.0.1:{ports[0]}/-/ready", folder):
        pass
    async with serving(blackbox_command, f"http://127.0.0.1:{ports[1]}/-/healthy", None):
        pass


A_ROUTE: Final = {"route": {"receiver": "nobody"}, "receivers": [{"name": "nobody"}]}
