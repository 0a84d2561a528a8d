"""The chaincode slots of a native network: two places where a chaincode server can run.

One serves the version in force. An upgrade starts the new version in the other, so that no call
ever reaches a server of the wrong package, and empties the first once the new one is committed.
"""

from collections.abc import Sequence
from pathlib import Path

import msgspec

from gx.domain.errors import GxError


class SlotsError(GxError):
    """The file of the slots is unusable, or none is free; the text says which and why."""


class Served(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What a slot serves."""

    version: str
    package_id: str


class Slot(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One slot: its address (`host:port`), and what it serves, if anything."""

    address: str
    served: Served | None = None


def read_slots(path: Path, addresses: Sequence[str]) -> tuple[Slot, ...]:
    """Return the slots at these addresses; empty ones if nothing was ever served here.

    Raises:
        SlotsError: the file is damaged, or its slots are at other addresses.
    """
    slots = slots_in(path)
    if not slots:
        return tuple(Slot(address=address) for address in addresses)
    there = [slot.address for slot in slots]
    if there != list(addresses):
        raise SlotsError(
            f"the chaincode is deployed for servers at {', '.join(there)}, not at "
            f"{', '.join(addresses)}: its package, which peers have installed, says so. Choose "
            "those ports again (GX_FABRIC_NETWORK_CHAINCODE_A_PORT and ..._B_PORT)"
        )
    return slots


def slots_in(path: Path) -> tuple[Slot, ...]:
    """Return the slots in a file; none if there is no such file yet.

    Raises:
        SlotsError: the file is damaged.
    """
    try:
        return msgspec.json.decode(path.read_bytes(), type=tuple[Slot, ...])
    except FileNotFoundError:
        return ()
    except (OSError, msgspec.MsgspecError) as error:
        raise SlotsError(f"{path} cannot be read: {error}") from error


def write_slots(path: Path, slots: Sequence[Slot]) -> None:
    """Replace the file by one rename."""
    partial = path.with_suffix(".partial")
    partial.write_bytes(msgspec.json.format(msgspec.json.encode(slots)))
    partial.replace(path)


def choose_slot(slots: Sequence[Slot], *, version: str, in_force: str | None) -> int:
    """Choose where a version is served: where it is already, else a slot not in force.

    Raises:
        SlotsError: every other slot serves the version in force.
    """
    for number, slot in enumerate(slots):
        if slot.served is not None and slot.served.version == version:
            return number
    empty = [number for number, slot in enumerate(slots) if slot.served is None]
    spare = [
        number
        for number, slot in enumerate(slots)
        if slot.served is not None and slot.served.version != in_force
    ]
    if not empty and not spare:
        raise SlotsError("every chaincode slot serves the version in force")
    return (empty + spare)[0]


def with_served(slots: Sequence[Slot], number: int, served: Served | None) -> tuple[Slot, ...]:
    """Return the slots with another content in one of them."""
    return tuple(
        msgspec.structs.replace(slot, served=served) if index == number else slot
        for index, slot in enumerate(slots)
    )
