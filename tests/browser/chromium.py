"""Debian's Chromium, driven by Playwright: from PATH, installed where root may, else skipped."""

import asyncio
import fcntl
import os
import shutil
import subprocess
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Final, NoReturn

import pytest
from playwright.async_api import Browser, async_playwright

from tests.conftest import IS_CI

ROOT: Final = Path(__file__).parents[2]
NAMES: Final = ("chromium", "chromium-browser", "google-chrome")
PACKAGES: Final = ("chromium", "fonts-inter")
INSTALL_TIMEOUT_S: Final = 600
APT_SAID_MAX: Final = 1_000

# The page is ours and the machine has no display; whatever else a browser does by itself (look for
# updates, sync, try other protocols) would only meet a closed network.
SWITCHES: Final = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
)


def chromium() -> Path:
    """Return the browser; a machine that cannot have one skips, in CI it fails."""
    found, said = _on_path(), ""
    if found is None and os.geteuid() == 0 and shutil.which("apt-get"):
        said = _install()
        found = _on_path()
    if found is None:
        give_up(f"no Chromium: apt-get install {' '.join(PACKAGES)}\n{said}")
    return found


def front_end_tool(name: str) -> Path:
    """Return a file of the front end's own packages, installed as its lock says."""
    folder = ROOT / "console"
    path = folder / "node_modules" / name
    if not path.exists():
        npm = shutil.which("npm")
        if npm is None:
            give_up("no npm: install Node.js 20 or newer")
        with _locked("npm"):
            subprocess.run([npm, "ci"], cwd=folder, check=True, timeout=INSTALL_TIMEOUT_S)
    return path


def give_up(reason: str) -> NoReturn:
    """Skip, but never in CI: there a missing tool would pass for a success."""
    if IS_CI:
        pytest.fail(reason)
    pytest.skip(reason)


@asynccontextmanager
async def open_browser() -> AsyncIterator[Browser]:
    """Yield a browser; Playwright gives it a new empty profile."""
    executable = await asyncio.to_thread(chromium)
    async with async_playwright() as playwright:
        started = await playwright.chromium.launch(
            executable_path=executable, headless=True, args=list(SWITCHES)
        )
        try:
            yield started
        finally:
            await started.close()


def _on_path() -> Path | None:
    for name in NAMES:
        path = shutil.which(name)
        if path is not None:
            return Path(path)
    return None


def _install() -> str:
    """Install the browser, unless another worker has by now; return the end of what apt said."""
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}  # noqa: TID251 (a child's)
    install = ["apt-get", "install", "-y", "-q", "--no-install-recommends", *PACKAGES]
    said = ""
    with _locked("apt"):
        if _on_path() is not None:
            return said
        for command in (["apt-get", "update", "-q"], install):
            done = subprocess.run(
                command,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
                check=False,
                timeout=INSTALL_TIMEOUT_S,
            )
            said += done.stdout[-APT_SAID_MAX:]
    return said


@contextmanager
def _locked(name: str) -> Iterator[None]:
    """Let one of the workers of all test runs install at a time."""
    with Path(tempfile.gettempdir(), f"gx-test-{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
