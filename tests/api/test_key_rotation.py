"""An issuer changes its keys while the edge runs: nobody restarts it."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

import httpx
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm

from gx.api.app import Collaborators
from gx.api.signing_keys import SigningKeys, load_from_url
from gx.api.tokens import JwtVerifier, TokenPolicy
from gx.outbox.memory.rows import MemoryOutbox
from tests.api.parts import AUDIENCE, ISSUER, Backend, StoppedClock, build_backend
from tests.api.tokens import Ticks, a_token

OLD: Final = ec.generate_private_key(ec.SECP256R1())
NEW: Final = ec.generate_private_key(ec.SECP256R1())
KEYS: Final = {"old": OLD, "new": NEW}
FLOOR_S: Final = 10.0
LIFE_S: Final = 600.0


class KeyServer:
    """The issuer's address, which publishes some of its keys."""

    def __init__(self, *published: str) -> None:
        self.published: Sequence[str] = published
        self.asked = 0

    def answer(self, _request: httpx.Request) -> httpx.Response:
        """Answer with the JWKS document of now."""
        self.asked += 1
        keys = [
            {**ECAlgorithm.to_jwk(KEYS[name].public_key(), as_dict=True), "kid": name}
            for name in self.published
        ]
        return httpx.Response(200, text=json.dumps({"keys": keys}))


def an_edge(folder: Path, server: KeyServer, ticks: Ticks) -> Backend:
    """Build an edge that trusts the keys at that address."""
    client = httpx.AsyncClient(transport=httpx.MockTransport(server.answer))
    keys = SigningKeys(
        load_from_url(client, "https://issuer.test/jwks"),
        refetch_floor_s=FLOOR_S,
        max_age_s=LIFE_S,
        monotonic_s=ticks,
    )
    policy = TokenPolicy(issuer=ISSUER, audience=AUDIENCE)
    tokens = JwtVerifier(keys, policy=policy, clock=StoppedClock())

    def over_http(parts: Collaborators, _outbox: MemoryOutbox) -> Collaborators:
        return replace(parts, tokens=tokens)

    return build_backend(folder, change=over_http)


async def status_with(backend: Backend, name: str) -> int:
    """Ask for something with a token signed by this key; 404 means that it was believed."""
    headers = {"Authorization": f"Bearer {a_token(key=KEYS[name], kid=name)}"}
    async with backend.anonymous(headers) as client:
        return (await client.get("/api/v1/users/alice")).status_code


async def test_a_new_key_is_accepted_without_a_restart(tmp_path: Path) -> None:
    """Its first token makes the edge look again; both keys count while both are published."""
    server, ticks = KeyServer("old"), Ticks()
    backend = an_edge(tmp_path, server, ticks)
    assert [await status_with(backend, name) for name in KEYS] == [404, 401]

    server.published = ("old", "new")
    ticks.now_s += FLOOR_S

    assert [await status_with(backend, name) for name in KEYS] == [404, 404]
    assert server.asked == 2


async def test_a_withdrawn_key_is_refused_after_the_caches_life(tmp_path: Path) -> None:
    """Also for a token that was verified before and remembered."""
    server, ticks = KeyServer("old", "new"), Ticks()
    backend = an_edge(tmp_path, server, ticks)
    assert [await status_with(backend, name) for name in KEYS] == [404, 404]

    server.published = ("new",)
    ticks.now_s += LIFE_S + 1
    await status_with(backend, "new")  # may be answered from memory, and sees to fresh keys
    await backend.parts.tokens.verify(a_token(key=NEW, kid="new"))

    assert [await status_with(backend, name) for name in KEYS] == [401, 404]
