"""The pages and their files: complete, from nowhere else, and in the package."""

import re
import tomllib
from pathlib import Path

import httpx
import pytest

from gx.console.pages import STATIC, NoFrontEndError, Pages
from gx.console.runbooks import CHECKOUT, PACKAGED, NoRunbooksError, RunbookShelf
from gx.monitoring.alerts import ALERTS
from gx.monitoring.dashboards.every import DASHBOARDS
from tests.tidy.sources import ROOT

BUNDLE_BYTES_MAX = 800_000


@pytest.mark.parametrize(
    "path",
    ["/alerts", "/targets", "/commands", "/dead-letters", "/runbooks", "/commands/some-id"]
    + [f"/dashboards/{dashboard.uid}" for dashboard in DASHBOARDS],
)
async def test_every_page_is_there(browser: httpx.AsyncClient, path: str) -> None:
    """Each has its own title, and says to the front end what it is."""
    answer = await browser.get(path)

    assert answer.status_code == 200
    assert re.search(r"<title>[^<]+ · GX console</title>", answer.text)
    assert 'data-page=""' not in answer.text
    assert "<!--" not in answer.text


async def test_the_first_page_and_grafana_s_addresses_lead_to_dashboards(
    browser: httpx.AsyncClient,
) -> None:
    """Alerts written for Grafana's `/d/<uid>` open here too."""
    first, short = await browser.get("/"), await browser.get("/d/slo-executive")

    assert first.headers["location"] == "/dashboards/07-cqrs-backend-monitoring"
    assert short.headers["location"] == "/dashboards/slo-executive"


async def test_every_alert_s_runbook_can_be_read_without_scripts(
    browser: httpx.AsyncClient,
) -> None:
    """Whoever comes from a notification finds all of it in the page itself."""
    for alert in ALERTS:
        answer = await browser.get(f"/runbooks/{alert.name}")
        assert answer.status_code == 200, alert.name
        assert f"<h1>{alert.name}</h1>" in answer.text
        assert "<h2>Mitigation</h2>" in answer.text
        assert "facts: generated" not in answer.text


def test_names_of_alerts_and_dashboards_become_links(tmp_path: Path) -> None:
    """But not in commands to copy, and not to the page itself."""
    (tmp_path / "One.md").write_text("# Other1\n", encoding="utf-8")
    (tmp_path / "Other1.md").write_text("# x\n", encoding="utf-8")
    uid = DASHBOARDS[0].uid
    text = f"# Alone1\n\nSee Other1 and `{uid}`, not Alone1.\n\n```\ngx explain Other1\n```\n"
    (tmp_path / "Alone1.md").write_text(text, encoding="utf-8")

    page = RunbookShelf(tmp_path).render("Alone1")

    assert page.count('<a href="/runbooks/Other1">Other1</a>') == 1
    assert f'<a href="/dashboards/{uid}">{uid}</a>' in page
    assert "/runbooks/Alone1" not in page


def test_html_in_a_runbook_is_shown_and_not_run(tmp_path: Path) -> None:
    """Also in a link."""
    text = "# X\n\n<script>alert(1)</script> [x](javascript:alert(1))\n"
    (tmp_path / "X.md").write_text(text, encoding="utf-8")

    page = RunbookShelf(tmp_path).render("X")

    assert "<script" not in page
    assert 'href="javascript' not in page


async def test_what_an_address_says_is_text_in_the_page(browser: httpx.AsyncClient) -> None:
    """A name that nobody has is shown, never run."""
    answer = await browser.get("/runbooks/%3Cscript%3Ealert(1)%3C%2Fscript%3E")

    assert answer.status_code == 404
    assert "<script>alert" not in answer.text
    assert "&lt;script&gt;" in answer.text


def test_the_page_is_small_and_asks_nobody_else() -> None:
    """No content network, no font server: what is served is here, under the limit."""
    files = [path for path in STATIC.iterdir() if path.suffix != ".txt"]
    assert sum(path.stat().st_size for path in files) < BUNDLE_BYTES_MAX

    for path in files:
        found = re.findall(r"""https?://[^"'`\s)>]*""", path.read_text(encoding="utf-8"))
        assert [url for url in found if not url.startswith("http://www.w3.org/")] == [], path.name


def test_the_licences_of_what_is_in_the_page_are_beside_it() -> None:
    """Apache ECharts and what it is made of."""
    text = (STATIC / "LICENSES.txt").read_text(encoding="utf-8")

    assert "echarts/NOTICE" in text
    assert "Apache License" in text


def test_a_lost_file_is_named(tmp_path: Path) -> None:
    """With what to do about it."""
    with pytest.raises(NoFrontEndError, match="make console"):
        Pages(RunbookShelf.open(), tmp_path)


def test_runbooks_are_packaged_where_they_are_looked_for() -> None:
    """A wheel has no docs folder: it brings the pages along."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    included = project["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]

    source, target = next(iter(included.items()))
    assert ROOT / source == CHECKOUT
    assert ROOT / "src" / target == PACKAGED


def test_without_runbooks_the_console_does_not_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Links that lead nowhere are found at the start, not at night."""
    monkeypatch.setattr("gx.console.runbooks.CHECKOUT", tmp_path)
    monkeypatch.setattr("gx.console.runbooks.PACKAGED", tmp_path)

    with pytest.raises(NoRunbooksError, match="install gx-protocol again"):
        RunbookShelf.open()


def test_the_front_end_s_lock_names_no_registry() -> None:
    """It installs from whatever registry the machine uses."""
    text = (ROOT / "console" / "package-lock.json").read_text(encoding="utf-8")

    assert '"resolved"' not in text
    assert "registry" not in text
