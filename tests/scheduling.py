"""Which worker runs what: running systems first, and beside them what only computes.

pytest-randomly shuffles the modules, so that a group of two minutes may come last and be waited
for alone. A running system mostly waits, a unit test never does: with both at hand at any time,
no processor idles. Hence some workers take the long groups, the longest first, and the others
what is short; whoever runs out of one kind goes on with the other.
"""

from collections.abc import Collection
from itertools import chain
from typing import Final

from typing_extensions import override
from xdist.scheduler import LoadGroupScheduling
from xdist.workermanage import WorkerController

LONG: Final = (
    "chaos",
    "native-network",
    "dashboards-on-a-stack",
    "runbooks-on-a-stack",
    "doctor-on-a-stack",
    "cli-network",
    "loan-tour",
    "api",
    "fabric-upgrade",
    "browser-dashboards",
    "browser-reach",
    "browser-operating",
    "on-a-fabric-network",
    "organisation-tour",
    "cli-on-a-stack",
    "tour",
    "network-life",
    "packets",
    "fabric-loop",
    "upgrade",
    "planted-bugs",
    "tax-tour",
    "refusals",
    "client-guide",
    "deployment-guides",
    "past",
)
"""The groups of half a minute and more, the longest first: `make test` prints what each takes."""


class LongFirstScheduling(LoadGroupScheduling):
    """Hands out groups as pytest-xdist does, in the order that `next_group` says."""

    @override
    def _assign_work_unit(self, node: WorkerController) -> None:
        takes_long = 2 * self.nodes.index(node) < len(self.nodes)  # two of three, one of two
        self.workqueue.move_to_end(next_group(self.workqueue, takes_long=takes_long), last=False)
        super()._assign_work_unit(node)


def next_group(waiting: Collection[str], *, takes_long: bool) -> str:
    """Choose what a worker runs next: the longest group, or else the first that is short."""
    long = (name for name in LONG if name in waiting)
    short = (name for name in waiting if name not in LONG)
    return next(chain(long, short) if takes_long else chain(short, long))
