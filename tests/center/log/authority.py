"""A time-stamping authority behind a web server on this machine."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from center.bundles.bench.authority import Authority


@dataclass(frozen=True)
class Served:
    """Where it answers, and the file with its root certificate."""

    url: str
    roots: Path


@contextmanager
def serving(folder: Path) -> Iterator[Served]:
    """Answer requests until the block ends."""
    authority = Authority.make(folder)

    class Answers(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            answer = authority.answer(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200 if self.path == "/stamp" else 503)
            self.end_headers()
            self.wfile.write(answer if self.path == "/stamp" else b"")

        def log_message(self, *args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    thread = threading.Thread(target=server.serve_forever, name="authority")
    thread.start()
    try:
        yield Served(f"http://127.0.0.1:{server.server_port}/stamp", authority.roots)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
