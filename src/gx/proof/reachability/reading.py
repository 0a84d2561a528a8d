"""Manifests from files: YAML, JSON, folders of either, and kustomizations, which kubectl builds."""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

import msgspec
import yaml

from gx.proof.reachability.inventory import Document, Inventory, ManifestError, take_stock

STDIN: Final = "-"
KUBECTL_TIMEOUT_S: Final = 120
_SUFFIXES: Final = frozenset({".yaml", ".yml", ".json"})
_KUSTOMIZATIONS: Final = ("kustomization.yaml", "kustomization.yml", "Kustomization")


def read_manifests(sources: Iterable[str]) -> Inventory:
    """Read files and folders, or `-` for standard input, as one cluster.

    A folder with a kustomization is built; of any other, every YAML and JSON file below it is
    read.

    Raises:
        ManifestError: A source is not there, cannot be read or built, or holds no manifests.
    """
    return take_stock(document for source in sources for document in _documents(source))


def parse_documents(text: str, where: str) -> list[Document]:
    """Read the documents of a text in YAML or JSON.

    Raises:
        ManifestError: It is neither, or a document in it is no object.
    """
    try:
        if text.lstrip().startswith("{"):
            found: list[object] = [json.loads(text)]
        else:
            found = list(yaml.load_all(text, Loader=yaml.CSafeLoader))  # C: dashboards are long
        return msgspec.convert([each for each in found if each is not None], list[Document])
    except (yaml.YAMLError, ValueError) as error:
        raise ManifestError(f"{where}: not read as manifests: {error}") from error


def _documents(source: str) -> Iterator[Document]:
    path = Path(source)
    if source == STDIN:
        yield from parse_documents(sys.stdin.read(), "standard input")
    elif path.is_dir() and any((path / name).is_file() for name in _KUSTOMIZATIONS):
        yield from parse_documents(_build(path), source)
    elif path.is_dir():
        files = sorted(each for each in path.rglob("*") if each.suffix in _SUFFIXES)
        if not files:
            raise ManifestError(f"{source}: no YAML or JSON file is below this folder")
        for file in files:
            yield from parse_documents(_read(file), str(file))
    else:
        yield from parse_documents(_read(path), source)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ManifestError(f"{path}: {error}") from error


def _build(folder: Path) -> str:
    """Build a kustomization with the kubectl beside this Python, else the one on PATH."""
    beside = Path(sys.executable).with_name("kubectl")
    program = str(beside) if beside.is_file() else shutil.which("kubectl")
    if program is None:
        raise ManifestError(
            f"{folder} is a kustomization, and there is no kubectl: install it, "
            "or give what `kubectl kustomize` prints"
        )
    try:
        done = subprocess.run(  # noqa: S603 (kubectl itself, on a folder that was named)
            [program, "kustomize", str(folder)],
            capture_output=True,
            text=True,
            check=False,
            timeout=KUBECTL_TIMEOUT_S,
        )
    except subprocess.TimeoutExpired as error:
        raise ManifestError(f"{folder}: not built within {KUBECTL_TIMEOUT_S} s") from error
    if done.returncode != 0:
        raise ManifestError(f"{folder}: {done.stderr.strip()}")
    return done.stdout
