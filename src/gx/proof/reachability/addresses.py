"""Ranges of addresses, as pairs of first and last."""

from ipaddress import IPv4Address, IPv6Address, ip_network
from typing import TypeAlias

from gx.proof.reachability.objects import IpBlock

# (version, first, last): both kinds of addresses in one order, and never in one range.
Range: TypeAlias = tuple[int, int, int]
Ranges: TypeAlias = tuple[Range, ...]


def network_range(cidr: str) -> Range:
    """Return the addresses of a network.

    Raises:
        ValueError: It is no network.
    """
    network = ip_network(cidr, strict=False)
    return network.version, int(network[0]), int(network[-1])


def make_ranges(networks: tuple[str, ...], excluded: tuple[str, ...] = ()) -> Ranges:
    """Return the addresses of some networks, less those of others."""
    return subtract(
        tuple(network_range(each) for each in networks),
        tuple(network_range(each) for each in excluded),
    )


def block_ranges(block: IpBlock) -> Ranges:
    """Return the addresses that a policy's block means."""
    return make_ranges((block.cidr,), tuple(block.except_ or ()))


def subtract(ranges: Ranges, holes: Ranges) -> Ranges:
    """Return what is left of ranges without some others."""
    left = list(ranges)
    for hole in holes:
        left = [part for each in left for part in _without(each, hole)]
    return tuple(left)


def _without(whole: Range, hole: Range) -> list[Range]:
    version, first, last = whole
    if hole[0] != version or hole[2] < first or last < hole[1]:
        return [whole]
    parts = [(version, first, hole[1] - 1), (version, hole[2] + 1, last)]
    return [part for part in parts if part[1] <= part[2]]


def write_range(found: Range) -> str:
    """Write a range for people."""
    version, first, last = found
    make = IPv4Address if version == 4 else IPv6Address  # noqa: PLR2004 (IP's own number)
    return str(make(first)) if first == last else f"{make(first)}-{make(last)}"
