"""What a route is: what may be asked, and who may ask it."""

from dataclasses import dataclass

from gx.domain.commands import Access, CommandSpec, QuerySpec


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteSpec:
    """One route: `path` is the whole template, `name` its operation id, `tag` its area.

    `declared` is the command or the query of the catalogue from which it was generated.
    """

    method: str
    path: str
    tag: str
    access: Access
    name: str
    summary: str
    success_status: int = 200
    declared: CommandSpec | QuerySpec | None = None

    @property
    def has_placeholders(self) -> bool:
        """Tell whether the path must be matched, not just looked up."""
        return "{" in self.path
