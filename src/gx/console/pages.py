"""The page's files: the built front end, and the frame into which each page is put.

The frame is one HTML document. A runbook is written into it here, so that it can be read from a
link in a notification also where scripts are off; every other page is drawn by the front end,
which learns from the frame what to draw.
"""

from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Final

from gx.console.panels import BY_UID
from gx.console.runbooks import RunbookShelf
from gx.domain.errors import GxError

STATIC: Final = Path(__file__).parent / "static"
FRAME: Final = "index.html"
FILES: Final = {
    "app.js": "text/javascript; charset=utf-8",
    "app.css": "text/css; charset=utf-8",
    "icon.svg": "image/svg+xml",
}
_TITLE: Final = "<!--title-->"
_MAIN: Final = "<!--main-->"
_PAGE: Final = 'data-page=""'
_SUBJECT: Final = 'data-subject=""'
_LOADING: Final = '<p class="placeholder quiet">Loading …</p>'


class NoFrontEndError(GxError):
    """The built front end is not in the package; it was installed incompletely."""


@dataclass(frozen=True, slots=True)
class PageFile:
    """One file as it is served."""

    content_type: str
    body: bytes


class Pages:
    """Everything that is served as it is, read once."""

    def __init__(self, shelf: RunbookShelf, folder: Path = STATIC) -> None:
        """Read the files.

        Raises:
            NoFrontEndError: One is missing.
        """
        try:
            self._frame = (folder / FRAME).read_text(encoding="utf-8")
            self.files = {
                name: PageFile(kind, (folder / name).read_bytes()) for name, kind in FILES.items()
            }
        except FileNotFoundError as error:
            raise NoFrontEndError(
                f"{error.filename} is missing: install gx-protocol again, or build it with "
                "`make console` in a checkout"
            ) from error
        self._shelf = shelf

    def drawn(self, page: str, title: str, subject: str = "") -> str:
        """Return the frame of a page that the front end draws; `subject` is what it is about."""
        return self._fill(page, title, subject, _LOADING)

    def dashboard(self, uid: str) -> str:
        """Return the frame of a dashboard.

        Raises:
            KeyError: There is none of this uid.
        """
        return self.drawn("dashboard", BY_UID[uid].title, uid)

    def runbook(self, name: str) -> str:
        """Return a runbook as a page.

        Raises:
            KeyError: There is none of this name.
        """
        body = f'<article class="prose">{self._shelf.render(name)}</article>'
        return self._fill("runbook", name, name, body)

    def runbooks(self) -> str:
        """Return the list of all runbooks as a page."""
        items = "".join(
            f'<li><a href="/runbooks/{escape(name)}">{escape(name)}</a></li>'
            for name in self._shelf.names
        )
        body = '<h1>Runbooks</h1><p class="quiet">One page for each alert.</p>'
        return self._fill("runbooks", "Runbooks", "", f'{body}<ul class="columns">{items}</ul>')

    def missing(self, what: str) -> str:
        """Return the page for an address without one."""
        body = f"<h1>Nothing here</h1><p>{escape(what)}</p><p><a href='/'>To the first page</a></p>"
        return self._fill("missing", "Nothing here", "", body)

    def _fill(self, page: str, title: str, subject: str, main: str) -> str:
        return (
            self._frame.replace(_TITLE, f"{escape(title)} · GX console")
            .replace(_PAGE, f'data-page="{escape(page)}"')
            .replace(_SUBJECT, f'data-subject="{escape(subject)}"')
            .replace(_MAIN, main)
        )
