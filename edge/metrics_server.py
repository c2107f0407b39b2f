"""What can be seen of a running box, over HTTP on this machine.

| address | what |
|---|---|
| `/metrics` | Prometheus' text format, or OpenMetrics for who asks: see `edge.metrics` |
| `/snapshot.json` | `BoxSnapshot` as JSON, which `teawatch edge top` reads |

Whoever reaches the port may read: by default that is this machine alone.
"""

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from socketserver import TCPServer, ThreadingMixIn
from typing import TYPE_CHECKING
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from prometheus_client import CollectorRegistry, make_wsgi_app
from pydantic import TypeAdapter

from edge.announcements import Tell
from edge.metrics import TakeSnapshot
from edge.snapshot import BoxSnapshot

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment

    _App = Callable[[WSGIEnvironment, StartResponse], Iterable[bytes]]

REQUEST_TIMEOUT_S = 10.0
_POLL_S = 0.5
_AS_JSON = TypeAdapter(BoxSnapshot)


class MetricsServer:
    """Serves in threads of its own from when it is made until it is stopped."""

    def __init__(self, host: str, port: int, registry: CollectorRegistry, take_snapshot: TakeSnapshot) -> None:
        """Listen; port 0 takes any that is free. Raises OSError where that is not possible."""
        app = _app(registry, take_snapshot)
        self._server = make_server(host, port, app, server_class=_Server, handler_class=_Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(_POLL_S,), name="metrics", daemon=True)
        self._thread.start()

    @property
    def port(self) -> int:
        """Where it listens."""
        return self._server.server_port

    def stop(self) -> None:
        """Give the port back."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@contextmanager
def served(
    host: str, port: int, registry: CollectorRegistry, take_snapshot: TakeSnapshot, tell: Tell
) -> Iterator[MetricsServer | None]:
    """A server for as long as the box runs; None where `port` is 0, or taken: then the box says so and goes on."""
    server = None
    if port:
        try:
            server = MetricsServer(host, port, registry, take_snapshot)
        except OSError as error:
            why = (error.strerror or str(error)).lower()
            reason = f"port {port} of {host} cannot be served ({why}); choose another with TEAWATCH_EDGE_METRICS_PORT"
            tell("trouble", what="metrics", reason=reason)
    try:
        yield server
    finally:
        if server:
            server.stop()


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True

    def server_bind(self) -> None:
        """Without asking the network for this machine's name, as the library would."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = "box", int(self.server_address[1])
        self.setup_environ()

    def handle_error(self, _request: object, _client: object) -> None:
        """Who hangs up half-way, or says nothing until the time-out, is not worth a line."""


class _Handler(WSGIRequestHandler):
    timeout = REQUEST_TIMEOUT_S

    def log_message(self, *_arguments: object) -> None:
        """A scrape every few seconds is not worth a line."""


def _app(registry: CollectorRegistry, take_snapshot: TakeSnapshot) -> "_App":
    metrics: _App = make_wsgi_app(registry)

    def answer(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        match environ.get("PATH_INFO"):
            case "/metrics":
                return metrics(environ, start_response)
            case "/snapshot.json":
                start_response(_line(HTTPStatus.OK), [("Content-Type", "application/json")])
                return [_AS_JSON.dump_json(take_snapshot())]
            case _:
                start_response(_line(HTTPStatus.NOT_FOUND), [("Content-Type", "text/plain; charset=utf-8")])
                return [b"here are /metrics and /snapshot.json\n"]

    return answer


def _line(status: HTTPStatus) -> str:
    return f"{status.value} {status.phrase}"
