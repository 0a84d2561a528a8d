"""Builds Fabric's programs from its Go module, once, into a folder that every checkout shares."""

import fcntl
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from gx.domain.errors import GxError
from gx.fabric.release import (
    RELEASE,
    Binaries,
    FabricMissingError,
    Program,
    bin_folder,
    find_binaries,
    is_executable,
    program_version,
    refusal_path,
)

GO_MIN: Final = (1, 26)
GO_FOLDERS: Final = ("/usr/local/go/bin", "/usr/lib/go/bin")
"""Where Go is installed without being on everybody's PATH."""

MODULE: Final = "github.com/hyperledger/fabric"


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One commit of Fabric's module that its programs can be built from.

    Without `folder` it is what Go's proxy says that it is; with it, the `go.mod` and `go.sum` in
    that folder pin it and every module that it needs.
    """

    version: str
    commit: str
    folder: Path | None = None

    def command(self, go: str, target: Path) -> list[str]:
        """Return the command that puts the five programs into a folder, which is also GOBIN."""
        stamp = f"-X {MODULE}/common/metadata.Version=v{self.version}"
        programs = [f"{MODULE}/cmd/{program.value}" for program in Program]
        options = ["-v", "-trimpath", "-ldflags", stamp]
        if self.folder is None:
            return [go, "install", *options, *(f"{each}@{self.commit}" for each in programs)]
        return [go, "build", "-C", str(self.folder), *options, "-o", f"{target}/", *programs]


SOURCES: Final = (
    # The module's path has no major suffix, so Go knows release 3 by its commit alone.
    Source(version=RELEASE, commit="86c1172bec37e6590c6b1ae6f847833df48d65fc"),
    # The newest commit that the public proxy was seen to serve. Against the release it lacks
    # chaincode's multi-get and batched writes, so the same load costs its peers more.
    Source(
        version="3.0.0-snapshot-695dd57e01c2",
        commit="695dd57e01c2",
        folder=Path(__file__).with_name("source"),
    ),
)
"""Where Fabric comes from: the release, then what is nearest to it."""

ANSWER_CHARACTERS_MAX: Final = 2_000
_REFUSED: Final = re.compile(r"\b(403 Forbidden|404 Not Found|410 Gone)\b")


class GoMissingError(GxError):
    """There is no Go here that can build Fabric; the text says which is needed."""


class ModuleRefusedError(GxError):
    """Go's module proxy does not hand out Fabric's module; the text is what Go's client said."""


class BuildFailedError(GxError):
    """Go could not fetch or compile Fabric; the text is the end of what it said."""


def install_binaries(
    cache: Path,
    *,
    environment: Mapping[str, str],
    report: Callable[[str], None],
    go: str | None = None,
) -> Binaries:
    """Return the programs, building those of the first source to be had if none are there yet.

    A build takes a minute or more on two cores; `report` gets a line for each step of it. The
    programs appear together or not at all, and several processes may call this at once.

    Raises:
        GoMissingError: no Go, or one that is too old.
        ModuleRefusedError: the module proxy said no; what it said is kept in the cache.
        BuildFailedError: anything else that Go met.
    """
    cache = cache.expanduser().absolute()
    with _locked(cache):
        found = _found(cache)
        if found is not None:
            return found
        command = go or find_go()
        require_go(command)
        _build(cache, command, environment, report)
    return find_binaries(cache, search_path=str(bin_folder(cache)))


def find_go() -> str:
    """Return the path of Go.

    Raises:
        GoMissingError: it is neither on PATH nor where it is usually unpacked.
    """
    for folders in (None, *GO_FOLDERS):
        path = shutil.which("go", path=folders)
        if path is not None:
            return path
    raise GoMissingError(
        f"Go is not on this machine, so Fabric {RELEASE} cannot be built. Install Go "
        f"{_dotted(GO_MIN)} or newer, or put Fabric's own programs on PATH. "
        "Everything but the Fabric network runs without."
    )


def require_go(command: str) -> None:
    """Require that this Go is new enough.

    Raises:
        GoMissingError: it is not.
    """
    answer = subprocess.run(  # noqa: S603 (the Go that we found)
        [command, "version"], capture_output=True, text=True, check=False
    )
    match = re.search(r"go(\d+)\.(\d+)", answer.stdout)
    version = (int(match[1]), int(match[2])) if match else (0, 0)
    if version < GO_MIN:
        raise GoMissingError(
            f"{command} is Go {_dotted(version)}; Fabric {RELEASE} needs {_dotted(GO_MIN)} or newer"
        )


def _found(cache: Path) -> Binaries | None:
    try:
        return find_binaries(cache)
    except FabricMissingError:
        return None


def _build(
    cache: Path, go: str, environment: Mapping[str, str], report: Callable[[str], None]
) -> None:
    refusals = []
    for source in SOURCES:
        report(f"building Hyperledger Fabric {source.version} with {go}, once ...")
        with tempfile.TemporaryDirectory(prefix="build-", dir=cache) as name:
            staging = Path(name)
            status, said = _run(
                source.command(go, staging), {**environment, "GOBIN": str(staging)}, report
            )
            if not status:
                _keep(staging, cache)
                refusal_path(cache).unlink(missing_ok=True)
                report(f"Fabric {source.version} is in {bin_folder(cache)}")
                return
        answer = said.strip()[-ANSWER_CHARACTERS_MAX:]
        if _REFUSED.search(answer) is None:
            raise BuildFailedError(f"Fabric {source.version} could not be built:\n{answer}")
        report(f"Go's module proxy does not hand out Fabric {source.version}: {answer}")
        refusals.append(f"{source.version}: {answer}")
    refusal_path(cache).write_text("\n".join(refusals) + "\n", encoding="utf-8")
    raise ModuleRefusedError(
        "Go's module proxy does not hand out Fabric:\n" + "\n".join(refusals) + "\n"
        "Put Fabric's own programs on PATH instead; everything but the Fabric network runs without."
    )


def _run(
    command: Sequence[str], environment: Mapping[str, str], report: Callable[[str], None]
) -> tuple[int, str]:
    """Run Go, passing on its lines as they come; return its status and all that it said."""
    lines = []
    with subprocess.Popen(  # noqa: S603 (the Go that we found)
        command,
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        for line in process.stdout or ():
            lines.append(line)
            if line.startswith("go: downloading ") or ":" not in line:
                report(line.rstrip())  # the rest is an error, which is told as a whole
    return process.returncode, "".join(lines)


def _keep(staging: Path, cache: Path) -> None:
    """Move the programs to where they are looked for, once all have been seen to be there."""
    missing = [program.value for program in Program if not is_executable(staging / program)]
    if missing:
        raise BuildFailedError(f"Go reported success, but built no {', '.join(missing)}")
    program_version(staging / Program.PEER)
    target = bin_folder(cache)
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    for program in Program:
        (staging / program).rename(target / program)


@contextmanager
def _locked(cache: Path) -> Iterator[None]:
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _dotted(version: tuple[int, int]) -> str:
    return ".".join(str(part) for part in version)
