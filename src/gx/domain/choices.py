"""The kind of argument that is one of a few words."""

from dataclasses import dataclass

from typing_extensions import override

from gx.domain.arguments import ArgumentKind
from gx.domain.codec import JsonObject, JsonValue
from gx.domain.refusals import RefusedError


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice(ArgumentKind):
    """One of `words`, spelled exactly so."""

    words: tuple[str, ...]

    @override
    def schema(self) -> JsonObject:
        return {"type": "string", "enum": list[JsonValue](self.words)}

    @override
    def require(self, name: str, text: str) -> None:
        if text not in self.words:
            raise RefusedError(
                self.invalid, f"{name} must be one of {', '.join(self.words)}, got {text[:40]!r}"
            )
