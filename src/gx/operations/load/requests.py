"""The load's requests as bytes: heads are prepared once, bodies are small."""

from collections.abc import Sequence
from typing import Final

from gx.client.requests import API_PREFIX, IDEMPOTENCY_KEY, ON_BEHALF_OF
from gx.domain.catalogue import COMMANDS
from gx.domain.codec import JsonObject, JsonValue, encode
from gx.domain.command_status import CommandStatus
from gx.domain.commands import Access
from gx.operations.credentials import Credentials
from gx.operations.load.connection import Endpoint
from gx.operations.load.population import Call

_COMMAND_TYPES: Final = ("TRANSFER_TOKENS", "MINT_COINS", "CREATE_USER", "DISTRIBUTE_GENESIS")
_PARTNER_ACCESS: Final = frozenset({Access.USER, Access.PARTNER})


class RequestWriter:
    """Writes complete requests to one API."""

    def __init__(self, endpoint: Endpoint, credentials: Credentials) -> None:
        self._endpoint = endpoint
        self._credentials = credentials
        self._heads = {name: self._command_head(name) for name in _COMMAND_TYPES}
        self._lookup_head = self._head(
            "POST", f"{API_PREFIX}/commands/query", credentials.super_admin
        )

    def command(self, call: Call, key: str) -> bytes:
        """Write one command with its idempotency key; sent twice, it takes effect once."""
        acts_for = f"{ON_BEHALF_OF}: {call.acts_for}\r\n" if call.acts_for else ""
        extra = f"{acts_for}{IDEMPOTENCY_KEY}: {key}\r\n"
        return _with_body(self._heads[call.command_type] + extra, call.body)

    def wait(self, command_id: str, status: CommandStatus, *, timeout_s: int) -> bytes:
        """Write a long poll for one command."""
        path = f"{API_PREFIX}/commands/{command_id}?wait={status}&timeout={timeout_s}"
        return f"{self._head('GET', path, self._credentials.super_admin)}\r\n".encode()

    def lookup(self, command_ids: Sequence[str]) -> bytes:
        """Write one question for many commands."""
        return _with_body(self._lookup_head, {"commandIds": list[JsonValue](command_ids)})

    def _command_head(self, command_type: str) -> str:
        spec = COMMANDS[command_type]
        is_partner = spec.access in _PARTNER_ACCESS
        token = self._credentials.partner if is_partner else self._credentials.super_admin
        return self._head(spec.method, API_PREFIX + spec.path, token)

    def _head(self, method: str, path: str, token: str) -> str:
        return (
            f"{method} {path} HTTP/1.1\r\n"
            f"Host: {self._endpoint.authority}\r\n"
            f"Authorization: Bearer {token}\r\n"
            "Accept: application/json\r\n"
        )


def _with_body(head: str, body: JsonObject) -> bytes:
    content = encode(body).encode()
    return (
        f"{head}Content-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n".encode()
        + content
    )
