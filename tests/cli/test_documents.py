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


def test_the_map_leads_from_a_route_to_the_metrics() -> None:
    """Whoever sees a figure knows the command, and the reverse."""
    commands = gx("catalogue", "--json").json["commands"]
    assert isinstance(commands, list)
    tax = next(
        each
        for each in commands
        if isinstance(each, dict) and each["command"] == "APPLY_VELOCITY_TAX"
    )

    assert tax["route"] == "POST /api/v1/velocity-tax/apply"
    assert tax["function"] == "TaxAndFeeContract:ApplyVelocityTax"
    assert tax["roles"] == ["gx_admin", "gx_super_admin"]
    assert tax["events"] == ["VelocityTaxApplied"]
    assert tax["readModels"] == ["accounts", "account_entries"]
    assert isinstance(tax["refusals"], list)
    assert "TAX_NOT_DUE" in tax["refusals"]
    metrics = tax["metrics"]
    assert isinstance(metrics, list)
    assert 'outbox_commands_processed_total{commandType="APPLY_VELOCITY_TAX"}' in metrics
    assert 'projector_events_processed_total{eventType="VelocityTaxApplied"}' in metrics
    assert 'http_requests_total{endpoint="/api/v1/velocity-tax/apply"}' in metrics
    assert any(
        str(metric).endswith('{contract="TaxAndFeeContract",function="ApplyVelocityTax"}')
        for metric in metrics
    )


def test_the_committed_catalogue_is_fresh() -> None:
    """`make generate` writes it."""
    committed = Path(__file__).parents[2] / "docs" / "reference" / "catalogue.md"

    assert committed.read_text(encoding="utf-8") == render_catalogue()
