"""`ip` and `nft`: those on PATH, else Debian's, unpacked into the cache folder."""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from gx.domain.errors import GxError
from gx.runtime.debian import AptFetcher, FetchError, PackageFetcher, unpack

# With the libraries that they link against and a small system may lack.
PACKAGES: Final[Mapping[str, tuple[str, ...]]] = {
    "nft": (
        *("nftables", "libnftables1", "libnftnl11", "libmnl0", "libxtables12", "libjansson4"),
        *("libedit2", "libbsd0", "libmd0", "libgmp10"),
    ),
    "ip": (*("iproute2", "libbpf1", "libelf1", "libmnl0", "libcap2", "libbsd0", "libmd0"),),
}
_FORMAT: Final = "1"  # a new number unpacks anew
_ADMIN_PATH: Final = ("/usr/sbin", "/sbin")  # where these programs are, and ordinary PATHs are not


class LaboratoryError(GxError):
    """Namespaces or filters cannot be had here; the text says why, and what to do."""


@dataclass(frozen=True, slots=True)
class NetworkTool:
    """A program, and where its libraries are if it was unpacked."""

    path: str
    libraries: str | None = None

    @property
    def environment(self) -> dict[str, str]:
        """The environment variables that it needs."""
        return {"LD_LIBRARY_PATH": self.libraries} if self.libraries else {}


@dataclass(frozen=True, slots=True)
class NetworkTools:
    """The two programs."""

    ip: NetworkTool
    nft: NetworkTool


def find_network_tools(cache: Path, fetcher: PackageFetcher | None = None) -> NetworkTools:
    """Return the programs; what is not installed is fetched once, which needs Debian's mirror.

    Raises:
        LaboratoryError: One is neither installed nor can be had.
    """
    return NetworkTools(*(_find(name, cache, fetcher) for name in ("ip", "nft")))


def _find(name: str, cache: Path, fetcher: PackageFetcher | None) -> NetworkTool:
    path = os.pathsep.join((os.defpath, *_ADMIN_PATH))
    if found := shutil.which(name) or shutil.which(name, path=path):
        return NetworkTool(found)
    folder = cache.absolute() / "debian"
    try:
        tree = _unpacked(folder, name, fetcher or AptFetcher(folder / "apt"))
    except (FetchError, OSError) as error:
        raise LaboratoryError(
            f"there is no {name}, and it cannot be had: {error}. "
            f"Install Debian's package {PACKAGES[name][0]}."
        ) from error
    programs = [tree / each / name for each in ("usr/sbin", "sbin", "usr/bin", "bin")]
    program = next((each for each in programs if each.is_file()), None)
    if program is None:
        raise LaboratoryError(f"Debian's {PACKAGES[name][0]} has no program {name}")
    folders = sorted({str(each.parent) for each in tree.rglob("*.so.*")})
    return NetworkTool(str(program), os.pathsep.join(folders))


def _unpacked(folder: Path, name: str, fetcher: PackageFetcher) -> Path:
    """Return the tree of a program's packages; it appears whole or not at all."""
    target = folder / f"{PACKAGES[name][0]}-{_FORMAT}"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not target.is_dir():
            with tempfile.TemporaryDirectory(prefix="fetch-", dir=folder) as made:
                downloads, tree = Path(made, "downloads"), Path(made, "tree")
                downloads.mkdir()
                fetcher.fetch(PACKAGES[name], downloads)
                unpack(downloads, tree)
                tree.rename(target)
    return target
