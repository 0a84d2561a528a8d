"""Peers and an orderer that say what Fabric's say, from the declarations: for a Prometheus to ask.

They prove that the dashboards ask for what is declared, with its labels; that Fabric really says
it, only a real network proves.
"""

import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final

from typing_extensions import override

from gx.monitoring.exporters.fabric import EXPORTED_SERVICE, FABRIC_METRICS
from gx.monitoring.exporters.names import Exporter
from gx.monitoring.selectors import ExternalMetric
from gx.telemetry.metric import Kind

CHANNEL: Final = "gxchannel"
VALUES: Final[Mapping[str, Sequence[str]]] = {
    "channel": (CHANNEL,),
    "chaincode": ("gxtv3",),
    "transaction_type": ("ENDORSER_TRANSACTION",),
    "validation_code": ("VALID", "MVCC_READ_CONFLICT", "DUPLICATE_TXID"),
    "success": ("true", "false"),
    "chaincodeerror": ("true",),
    "type": ("GET_STATE_MULTIPLE",),
    EXPORTED_SERVICE: ("gateway_Gateway",),
    "method": ("Endorse", "Submit"),
    "code": ("OK", "ABORTED"),
    "status": ("SUCCESS",),
}
BOUNDS: Final = (0.005, 0.05, 0.5)


def exposition(exporter: Exporter, asked: int) -> str:
    """Say everything that is declared of a kind of node, grown by as often as it was asked."""
    ours = [metric for metric in FABRIC_METRICS if metric.exporter == exporter]
    return "\n".join(line for metric in ours for line in _lines(metric, asked)) + "\n"


def _lines(metric: ExternalMetric, asked: int) -> Iterator[str]:
    for labels in _children(metric.label_names):
        match metric.kind:
            case Kind.GAUGE:
                yield f"{metric.name}{_braces(labels)} 1"
            case Kind.COUNTER:
                yield f"{metric.name}{_braces(labels)} {asked}"
            case Kind.HISTOGRAM:
                for bound in (*map(str, BOUNDS), "+Inf"):
                    yield f"{metric.name}_bucket{_braces([*labels, ('le', bound)])} {asked}"
                yield f"{metric.name}_sum{_braces(labels)} {asked * 0.001}"
                yield f"{metric.name}_count{_braces(labels)} {asked}"


def _children(names: Sequence[str]) -> Iterable[list[tuple[str, str]]]:
    if not names:
        return [[]]
    first, rest = names[0], names[1:]
    return [[(first, value), *others] for value in VALUES[first] for others in _children(rest)]


def _braces(labels: Iterable[tuple[str, str]]) -> str:
    said = {EXPORTED_SERVICE: "service"}  # until the scrape renames it
    return "{" + ",".join(f'{said.get(name, name)}="{value}"' for name, value in labels) + "}"


@contextmanager
def serving(*exporters: Exporter) -> Iterator[tuple[int, ...]]:
    """Run a node of each of these kinds and return their ports."""
    with ExitStack() as stack:
        yield tuple(stack.enter_context(_node(exporter)) for exporter in exporters)


@contextmanager
def _node(exporter: Exporter) -> Iterator[int]:
    asked = 0

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            nonlocal asked
            asked += 1
            body = exposition(exporter, asked).encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/plain; version=0.0.4")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        @override
        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join()
