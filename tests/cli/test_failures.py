"""How `gx` fails: one paragraph, the right exit code, never a traceback."""

import subprocess
import sys

import jwt
import pytest

from gx.cli.failures import with_coins
from gx.cli.options import read_duration_s
from gx.client.blocking import open_blocking_client
from gx.client.transport import ClientSettings
from gx.domain.roles import TokenRole
from tests.cli.conftest import gx
from tests.cli.served_edge import ServedEdge
from tests.ports import free_port


def test_an_api_that_does_not_answer_exits_with_3() -> None:
    """The message says where, why, and what to do."""
    port = free_port()
    done = gx("supply", "--url", f"http://127.0.0.1:{port}")

    assert done.code == 3
    assert str(port) in done.err
    assert "gx up" in done.err
    assert "Traceback" not in done.err


@pytest.mark.parametrize("typed", [["supply"], ["status"]], ids=lambda typed: str(typed[0]))
def test_no_stack_and_no_address_exits_with_3(typed: list[str]) -> None:
    """Without a running stack there is nobody to ask, and the message says so."""
    done = gx(*typed)

    assert done.code == 3
    assert "gx up" in done.err


@pytest.mark.parametrize(
    "typed",
    [
        ["supply", "--url", "localhost:8000"],
        ["token", "--role", "king", "--subject", "x"],
        ["token", "--role", "user", "--subject", "x", "--ttl", "soon"],
        ["token", "--role", "user", "--subject", "x", "--ttl", "0s"],
        ["mint", "alice", "0.000000001coin", "--remark", "dust"],
        ["load", "--mix", "nonsense=1"],
        ["load", "--rate", "0"],
        ["load", "--rate", "20000", "--duration", "1h"],
        ["logs", "nothing"],
        ["mint", "alice"],
        ["balance"],
    ],
    ids=" ".join,
)
def test_what_makes_no_sense_exits_with_2(typed: list[str]) -> None:
    """A usage failure is told apart from a refusal, and nothing is sent."""
    done = gx(*typed)

    assert done.code == 2
    assert done.err.strip()
    assert "Traceback" not in done.err


def test_a_bad_setting_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """The variable is in the message."""
    monkeypatch.setenv("GX_API_PORT", "none")
    done = gx("token", "--role", "user", "--subject", "alice")

    assert done.code == 2
    assert "GX_API_PORT" in done.err


def test_debugging_shows_where(monkeypatch: pytest.MonkeyPatch) -> None:
    """GX_DEBUG=1 adds the traceback."""
    monkeypatch.setenv("GX_DEBUG", "1")

    assert "Traceback" in gx("supply").err


def test_a_token_says_what_was_asked_for() -> None:
    """Role, subject, whom it acts for, and how long it lives."""
    done = gx(
        *("token", "--role", "partner", "--subject", "shop", "--ttl", "15m"),
        *("--act-for", "alice", "--act-for", "bob", "--json"),
    )

    claims = jwt.decode(str(done.json["token"]), options={"verify_signature": False})
    assert done.code == 0
    assert (claims["role"], claims["sub"], claims["act_for"]) == (
        "partner",
        "shop",
        ["alice", "bob"],
    )
    assert claims["exp"] - claims["iat"] == done.json["expiresInS"] == 900


def test_a_token_stands_alone_on_stdout() -> None:
    """`export GX_TOKEN=$(gx token …)` works."""
    done = gx("token", "--role", "user", "--subject", "alice")

    assert done.out.count("\n") == 1
    assert done.out.count(".") == 2


def test_a_token_of_testnet_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """The local issuer is for devnet alone."""
    monkeypatch.setenv("GX_ENVIRONMENT", "testnet")
    done = gx("token", "--role", "user", "--subject", "alice")

    assert done.code == 1
    assert "devnet" in done.err


def test_stopping_what_does_not_run_is_no_failure() -> None:
    """`gx down` may be repeated."""
    done = gx("down")

    assert done.code == 0
    assert "nothing was running" in done.out


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90", 90), ("90s", 90), ("15m", 900), ("2h", 7_200), ("7d", 604_800)],
    ids=str,
)
def test_durations_have_units(text: str, seconds: int) -> None:
    """A bare number is seconds."""
    assert read_duration_s(text) == seconds


def test_a_reader_that_stops_reading_is_no_failure() -> None:
    """`gx … | head -1` ends quietly."""
    command = f"{sys.executable} -m gx.cli.main monitoring metrics --json | head -1"

    done = subprocess.run(
        ["bash", "-c", command], capture_output=True, text=True, check=True, timeout=30
    )

    assert done.stdout == "{\n"
    assert "Error" not in done.stderr
    assert "Traceback" not in done.stderr


def test_the_blocking_client_works_on_a_served_edge(edge: ServedEdge) -> None:
    """Code without an event loop sends, waits and reads."""
    token = edge.backend.token("root", TokenRole.SUPER_ADMIN)
    with open_blocking_client(ClientSettings(base_url=edge.url, token=token)) as client:
        accepted = client.resume_system()
        found = client.wait_for(accepted.command_id, "PROJECTED", timeout_s=30)

    assert found.require_effect().command_type == "RESUME_SYSTEM"


def test_base_units_in_a_refusal_are_told_in_coins_too() -> None:
    """Nobody divides by 10^8 in the head; a text without amounts stays as it is."""
    told = with_coins("bob holds 2500000000 base units, 100149750000 are needed")
    assert told == (
        "bob holds 2500000000 base units (25 coin), 100149750000 (1001.4975 coin) are needed"
    )
    assert with_coins("3 are needed") == "3 are needed"


def test_a_data_folder_that_cannot_be_made_is_foreseen() -> None:
    """Root may write in /proc by its mode, and cannot: the setting is named all the same."""
    done = gx("up", "--no-monitoring", "--data-dir", "/proc/gx")

    assert done.code == 1
    assert "GX_DATA_DIR" in done.err
    assert "nobody foresaw" not in done.err


def test_a_database_url_that_is_none_is_told_by_its_variable(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The driver's words about schemes name neither the variable nor its form."""
    monkeypatch.setenv("DATABASE_URL", "nonsense")
    done = gx("db", "status")

    assert done.code == 3
    assert "DATABASE_URL" in done.err
    assert "postgresql://" in done.err


def test_only_gx_itself_offers_completion() -> None:
    """Two options that do nothing for a subcommand are noise in its help."""
    for typed in (["up"], ["user"], ["user", "create"]):
        assert "completion" not in gx(*typed, "--help").out
