"""The same clusters, judged here and by network-config-analyzer: connection by connection."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from gx.proof.reachability.inventory import Inventory, take_stock
from gx.proof.reachability.policies import Connection, Direction, End, Outside, is_open
from tests.proof.reachability.analyser import analyse
from tests.proof.reachability.random_clusters import PORTS, PROTOCOLS, random_cluster

# `make proof` compares hundreds.
SETS: Final = int(os.environ.get("GX_PROOF_POLICY_SETS", "20"))  # noqa: TID251 (tests have no settings module)
BATCH: Final = 50
# Each declared port, and what stands beside the ends of ranges.
PROBED: Final = sorted({port + step for port in PORTS for step in (-1, 0, 1, 10, 11, 25, 26)})
ADDRESSES: Final = ("8.8.8.8", "10.0.0.1", "10.1.0.1", "10.2.0.1", "192.0.2.1", "192.0.2.200")


def _connections(inventory: Inventory) -> Iterator[Connection]:
    """Yield everything to ask: pods among themselves, and with addresses outside."""
    outside = [Outside(each, (f"{each}/32",)) for each in ADDRESSES]
    ends: list[End] = [*inventory.pods, *outside]
    for source in ends:
        for target in ends:
            if source == target or (isinstance(source, Outside) and isinstance(target, Outside)):
                continue
            for protocol in PROTOCOLS:
                yield from (Connection(source, target, port, protocol) for port in PROBED)


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("first", range(0, SETS, BATCH))
def test_every_answer_is_the_analysers(first: int, tmp_path: Path) -> None:
    """No connection of a random cluster is judged otherwise, in either direction."""
    clusters = {f"c{seed}": random_cluster(seed) for seed in range(first, min(first + BATCH, SETS))}
    allowed = analyse(clusters, tmp_path)
    counts = {True: 0, False: 0}

    differing = []
    for name, documents in clusters.items():
        inventory = take_stock(documents)
        for each in _connections(inventory):
            ours = all(is_open(inventory, each, direction) for direction in Direction)
            theirs = allowed[name].allows(
                str(each.source), str(each.target), each.protocol, each.port
            )
            counts[ours] += 1
            if ours != theirs:
                differing.append(
                    f"{name}: {each.source} {each.target} {each.protocol} {each.port}: {ours}"
                )

    sys.stdout.write(
        f"{len(clusters)} random clusters: {counts[True]} connections open, "
        f"{counts[False]} closed, {len(differing)} judged otherwise by the analyser\n"
    )
    assert not differing, "\n".join(differing[:20]) + f"\n{len(differing)} in all"
    assert min(counts.values()) > 100 * len(clusters), "the clusters are all open or all closed"
