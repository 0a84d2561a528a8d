"""Stands in for a cluster's API server: lists and watches, where a Role would allow it.

Also says over HTTP what Kubernetes' discovery would say, for a Prometheus that was built without
it. Anything outside the granted namespaces and kinds is forbidden, as it is to an account that has
Roles and no ClusterRole.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Final
from urllib.parse import parse_qs, urlsplit

from typing_extensions import override

from tests.monitoring.discovery.cluster import Cluster

_KINDS: Final = {
    "/api/v1": ("pods", "services"),
    "/apis/discovery.k8s.io/v1": ("endpointslices",),
    "/apis/discovery.k8s.io/v1beta1": ("endpointslices",),
}
WATCH_S: Final = 60.0


class ApiDouble:
    """One API server; `refused` are the paths that it did not allow."""

    def __init__(self, cluster: Cluster, namespaces: tuple[str, ...]) -> None:
        self._cluster = cluster
        self._namespaces = namespaces
        self._closing = Event()
        self.refused: list[str] = []
        self.url = ""

    @contextmanager
    def running(self) -> Iterator["ApiDouble"]:
        """Serve on a free port of loopback until the block ends."""
        server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        server.daemon_threads = True
        self.url = f"http://127.0.0.1:{server.server_port}"
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield self
        finally:
            self._closing.set()
            server.shutdown()
            thread.join()
            server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        double = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                # Whoever is stopped does not wait for its answer.
                with suppress(BrokenPipeError, ConnectionResetError):
                    self._serve()

            def _serve(self) -> None:
                status, body = double.answer(self.path)
                if body is None:
                    self._watch()
                else:
                    self._answer(status, body)

            def do_POST(self) -> None:
                """Take what vmagent would write to a database."""
                self.rfile.read(int(self.headers.get("Content-Length", 0)))
                self.send_response(204)
                self.end_headers()

            def _watch(self) -> None:
                """Say that nothing changes, for as long as somebody listens."""
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.end_headers()
                double.wait_for_the_end()

            def _answer(self, status: int, body: object) -> None:
                content = json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            @override
            def log_message(self, *_: object) -> None:
                """Say nothing."""

        return Handler

    def answer(self, path: str) -> tuple[int, object]:
        """Return the status and the body for a path; without a body it is a watch."""
        url = urlsplit(path)
        if url.path.startswith("/sd/"):
            return 200, self.discovered(url.path)
        items = self.items(url.path)
        if items is None:
            self.refused.append(url.path)
            return 403, {"kind": "Status", "status": "Failure", "code": 403}
        if "watch" in parse_qs(url.query):
            return 200, None
        return 200, {"metadata": {"resourceVersion": "1"}, "items": items}

    def items(self, path: str) -> list[dict[str, object]] | None:
        """Return the objects under a path; None where no Role allows to list them."""
        for prefix, kinds in _KINDS.items():
            rest = path.removeprefix(f"{prefix}/namespaces/")
            namespace, _, kind = rest.partition("/")
            if rest != path and kind in kinds and namespace in self._namespaces:
                return self._cluster.objects(kind, namespace)
        return None

    def discovered(self, path: str) -> list[dict[str, object]]:
        """Return what `/sd/<role>/<namespaces>` finds, as http_sd wants it."""
        _, _, role, namespaces = path.split("/")
        return [
            {"targets": [address], "labels": labels}
            for address, labels in self._cluster.discover(role, namespaces.split(","))
        ]

    def wait_for_the_end(self) -> None:
        """Keep a watch open until the server stops, or it is time to watch anew."""
        self._closing.wait(WATCH_S)
