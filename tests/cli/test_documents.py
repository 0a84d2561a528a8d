"""Generated documents."""

from pathlib import Path

from gx.api.openapi import render_openapi
from gx.domain.catalogue import COMMANDS
from gx.operations.reference import render_catalogue
from tests.cli.conftest import gx


def test_the_openapi_document_is_written_whole(tmp_path: Path) -> None:
    """To stdout or to a file, the same text; the file's folder is made."""
    path = tmp_path / "reference" / "openapi.json"

    printed, written = gx("openapi"), gx("openapi", "--output", str(path))

    assert printed.code == written.code == 0
    assert printed.out == path.read_text(encoding="utf-8") == render_openapi()
    assert written.out == ""
    assert str(path).replace("\n", "") in written.err.replace("\n", "")


def test_the_catalogue_is_written_for_people_and_for_scripts() -> None:
    """Every command is in both."""
    plain, as_json = gx("catalogue"), gx("catalogue", "--json")

    assert plain.out == render_catalogue()
    commands = as_json.json["commands"]
    assert isinstance(commands, list)
    assert {str(each["command"]) for each in commands if isinstance(each, dict)} == set(COMMANDS)
