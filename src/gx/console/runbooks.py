"""The runbooks as pages: Markdown from the repository, or from the installed package."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from markdown_it import MarkdownIt

from gx.console.panels import BY_UID
from gx.domain.errors import GxError
from gx.monitoring.runbooks import FOLDER

PACKAGED: Final = Path(__file__).parent / "runbook_pages"
CHECKOUT: Final = Path(__file__).parents[3] / FOLDER

_COMMENT: Final = re.compile(r"<!--.*?-->\n?", re.DOTALL)
# A word of a rendered page outside of tags and of preformatted text: a name of ours, perhaps.
_NAMED: Final = re.compile(r"<pre>.*?</pre>|<a .*?</a>|<[^>]*>|[A-Za-z0-9-]{5,}", re.DOTALL)
# Html in a page is shown as text: a runbook has none, and nobody can put any there.
_MARKDOWN: Final = MarkdownIt("commonmark", {"html": False}).enable("table")


class NoRunbooksError(GxError):
    """The runbooks are neither in the package nor in a checkout; it was installed incompletely."""


class RunbookShelf:
    """The runbooks of a folder, by the names of their alerts."""

    def __init__(self, folder: Path) -> None:
        self._paths = {path.stem: path for path in sorted(folder.glob("*.md"))}

    @classmethod
    def open(cls) -> "RunbookShelf":
        """Take the checkout's, which are the newest, else those of the package.

        Raises:
            NoRunbooksError: There are none.
        """
        for folder in (CHECKOUT, PACKAGED):
            shelf = cls(folder)
            if shelf.names:
                return shelf
        raise NoRunbooksError(f"no runbooks in {CHECKOUT} or {PACKAGED}: install gx-protocol again")

    @property
    def names(self) -> tuple[str, ...]:
        """The alerts that have one."""
        return tuple(self._paths)

    def __contains__(self, name: object) -> bool:
        return name in self._paths

    def render(self, name: str) -> str:
        """Return a runbook as HTML; its title is a heading of the first level.

        Other alerts and our dashboards, where it names them, become links to their pages.

        Raises:
            KeyError: There is none of this name.
        """
        text = self._paths[name].read_text(encoding="utf-8")
        rendered: str = _MARKDOWN.render(_COMMENT.sub("", text))
        pages = {other: f"/runbooks/{other}" for other in self._paths if other != name}
        pages |= {uid: f"/dashboards/{uid}" for uid in BY_UID}
        return _NAMED.sub(lambda match: _linked(match[0], pages), rendered)


def _linked(word: str, pages: Mapping[str, str]) -> str:
    return f'<a href="{pages[word]}">{word}</a>' if word in pages else word
