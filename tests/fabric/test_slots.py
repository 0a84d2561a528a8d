"""The two places where chaincode servers run, and servers that others run."""

import socket
from collections.abc import Sequence
from pathlib import Path

import pytest

from gx.fabric.deployment import ServerMissingError
from gx.fabric.package import build_package
from gx.fabric.servers import ForeignServers
from gx.fabric.slots import (
    Served,
    Slot,
    SlotsError,
    choose_slot,
    read_slots,
    slots_in,
    with_served,
    write_slots,
)

ADDRESSES = ("127.0.0.1:1", "127.0.0.1:2")


def serving(*versions: str | None) -> Sequence[Slot]:
    """Slots that serve these versions."""
    return [
        Slot(address=address, served=Served(version=v, package_id=f"gxtv3_{v}:0") if v else None)
        for address, v in zip(ADDRESSES, versions, strict=True)
    ]


@pytest.mark.parametrize(
    ("slots", "version", "in_force", "chosen"),
    [
        (serving(None, None), "1", None, 0),
        (serving("1", None), "1", "1", 0),
        (serving("1", None), "2", "1", 1),
        (serving(None, "2"), "3", "2", 0),
        (serving("1", "2"), "2", "1", 1),  # an upgrade that was interrupted goes on
        (serving("1", "2"), "3", "1", 1),  # one that was given up makes room
        (serving("1", "2"), "3", "2", 0),  # an old server that nobody retired makes room
    ],
)
def test_the_version_in_force_keeps_its_slot(
    slots: Sequence[Slot], version: str, in_force: str | None, chosen: int
) -> None:
    """No upgrade ever ends the server that calls go to."""
    assert choose_slot(slots, version=version, in_force=in_force) == chosen


def test_without_room_nothing_is_pushed_out() -> None:
    """Two slots of the version in force leave none for another."""
    with pytest.raises(SlotsError, match="in force"):
        choose_slot(serving("1", "1"), version="2", in_force="1")


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    """The file outlives every process."""
    slots = with_served(read_slots(tmp_path / "s.json", ADDRESSES), 1, serving(None, "2")[1].served)

    write_slots(tmp_path / "s.json", slots)

    assert list(slots_in(tmp_path / "s.json")) == serving(None, "2")


def test_servers_cannot_move_by_a_setting(tmp_path: Path) -> None:
    """Where they are stands in packages that peers have installed."""
    write_slots(tmp_path / "s.json", serving("1", None))

    with pytest.raises(SlotsError, match="GX_FABRIC_NETWORK_CHAINCODE_A_PORT"):
        read_slots(tmp_path / "s.json", ("127.0.0.1:3", "127.0.0.1:2"))


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    """Guessing would start the wrong server."""
    (tmp_path / "s.json").write_text("[{}]")

    with pytest.raises(SlotsError, match=r"s\.json cannot be read"):
        slots_in(tmp_path / "s.json")


def test_a_server_of_others_must_answer_before_the_commit() -> None:
    """With nobody there every call would wait for its deadline; the error says what to start."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        package = build_package(version="1", address=f"127.0.0.1:{server.getsockname()[1]}")
        servers = ForeignServers(package.address)
        servers.serve(package)

    with pytest.raises(ServerMissingError, match=f"CHAINCODE_ID={package.package_id}"):
        servers.serve(package)
