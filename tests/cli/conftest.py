"""The command line as a person uses it, against an edge that is served for the test."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from typer.testing import CliRunner

from gx.cli.main import app
from gx.domain.codec import JsonObject
from tests.api.parts import AUDIENCE, ISSUER
from tests.cli.served_edge import ServedEdge, served_edge


@dataclass(frozen=True)
class Outcome:
    """How a run of `gx` ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> JsonObject:
        """What stdout says, which must be one JSON object and nothing else."""
        value = json.loads(self.out)
        assert isinstance(value, dict)
        return value


def gx(*arguments: str) -> Outcome:
    """Run `gx` with these arguments."""
    result = CliRunner().invoke(app, list(arguments), prog_name="gx", catch_exceptions=False)
    return Outcome(result.exit_code, result.stdout, result.stderr)


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No test sees the settings or the stack of whoever runs it."""
    for name in ("GX_URL", "GX_TOKEN", "GX_PARTNER_TOKEN", "GX_DEBUG", "DATABASE_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("GX_DATA_DIR", str(tmp_path / "var"))


@pytest.fixture
def edge(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ServedEdge]:
    """A served edge that `gx` finds through its environment, with keys to make tokens."""
    with served_edge(tmp_path / "keys") as served:
        monkeypatch.setenv("GX_URL", served.url)
        monkeypatch.setenv("GX_API_KEYS_DIR", str(served.keys_folder))
        monkeypatch.setenv("GX_API_TOKEN_ISSUER", ISSUER)
        monkeypatch.setenv("GX_API_TOKEN_AUDIENCE", AUDIENCE)
        yield served
