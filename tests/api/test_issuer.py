"""The local token issuer: private, for development, and understood by the edge."""

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import jwt
import pytest

from gx.api.issuer import (
    KEY_FILE,
    TTL_MAX_S,
    Claims,
    IssuerRefusedError,
    LocalIssuer,
    jwks_path,
)
from gx.api.signing_keys import SigningKeys, load_from_file, parse_jwks
from gx.api.tokens import JwtVerifier, TokenPolicy
from gx.domain.roles import TokenRole
from tests.api.parts import AUDIENCE, ISSUER, NOW_MS, StoppedClock


def open_issuer(folder: Path, environment: str = "devnet") -> LocalIssuer:
    """Open the issuer of a folder."""
    return LocalIssuer.open(
        folder, issuer=ISSUER, audience=AUDIENCE, clock=StoppedClock(), environment=environment
    )


async def test_the_edge_understands_its_tokens(tmp_path: Path) -> None:
    """Role, subject, act_for and lifetime arrive as they were given."""
    token = open_issuer(tmp_path).issue(
        Claims(subject="shop", role=TokenRole.PARTNER, act_for=("alice", "bob"), ttl_s=60)
    )
    verifier = JwtVerifier(
        SigningKeys(load_from_file(jwks_path(tmp_path))),
        policy=TokenPolicy(issuer=ISSUER, audience=AUDIENCE),
        clock=StoppedClock(),
    )

    principal = await verifier.verify(token)

    assert (principal.subject, principal.role) == ("shop", TokenRole.PARTNER)
    assert principal.act_for == {"alice", "bob"}
    assert principal.expires_at_s == NOW_MS // 1_000 + 60
    assert jwt.get_unverified_header(token)["alg"] == "ES256"


@pytest.mark.parametrize("environment", ["testnet", "mainnet", "", "Devnet"])
def test_it_works_in_devnet_alone(tmp_path: Path, environment: str) -> None:
    """Anywhere else it is refused before a key exists."""
    with pytest.raises(IssuerRefusedError, match="devnet"):
        open_issuer(tmp_path / "keys", environment)

    assert not (tmp_path / "keys").exists()


def test_its_key_is_private(tmp_path: Path) -> None:
    """The key file is for its owner alone, and so is a folder that it makes."""
    folder = tmp_path / "keys"
    open_issuer(folder)

    assert (folder / KEY_FILE).stat().st_mode & 0o777 == 0o600
    assert folder.stat().st_mode & 0o777 == 0o700


def test_a_key_that_others_may_read_is_refused(tmp_path: Path) -> None:
    """The message says how to mend it."""
    open_issuer(tmp_path)
    (tmp_path / KEY_FILE).chmod(0o644)

    with pytest.raises(IssuerRefusedError, match="chmod 600"):
        open_issuer(tmp_path)


def test_a_folder_keeps_its_key(tmp_path: Path) -> None:
    """Tokens stay valid over restarts."""
    first, second = open_issuer(tmp_path), open_issuer(tmp_path)

    assert first.render_jwks() == second.render_jwks()


def test_processes_that_start_at_once_end_up_with_one_key(tmp_path: Path) -> None:
    """Whoever is second takes the first one's key."""
    with ThreadPoolExecutor(max_workers=8) as pool:
        issuers = list(pool.map(lambda _: open_issuer(tmp_path), range(8)))

    assert len({issuer.render_jwks() for issuer in issuers}) == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(
        [KEY_FILE, jwks_path(tmp_path).name]
    )


def test_what_it_publishes_holds_no_secret(tmp_path: Path) -> None:
    """The JWKS has one public key for signatures, and not its private half."""
    open_issuer(tmp_path)
    text = jwks_path(tmp_path).read_text(encoding="utf-8")

    assert len(parse_jwks(text)) == 1
    assert "d" not in json.loads(text)["keys"][0]


@pytest.mark.parametrize(
    "claims",
    [
        Claims(subject="", role=TokenRole.USER),
        Claims(subject="alice bob", role=TokenRole.USER),
        Claims(subject="alice", role=TokenRole.USER, ttl_s=0),
        Claims(subject="alice", role=TokenRole.USER, ttl_s=TTL_MAX_S + 1),
    ],
    ids=repr,
)
def test_it_issues_nothing_that_the_edge_would_refuse(tmp_path: Path, claims: Claims) -> None:
    """A token that cannot be used is a mistake to be told at once."""
    with pytest.raises(IssuerRefusedError):
        open_issuer(tmp_path).issue(claims)
