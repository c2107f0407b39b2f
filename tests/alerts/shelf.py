"""A centre's door for evidence, for tests of the box."""

import hashlib
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

from alerts.errors import MessageError
from alerts.uploader import read_content_range, read_upload_token


class Shelf:
    """A centre's HTTP door that checks who brings what. `answers` are given first, in order."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.answers: list[int] = []
        self.tries = 0
        self.begun: dict[str, bytes] = {}
        self.breaks: list[int] = []
        self.knows_pieces = True
        self.asked = self.came = 0
        self.keys: dict[str, Any] = {}
        shelf = self

        class Door(BaseHTTPRequestHandler):
            def do_HEAD(self) -> None:
                shelf.asked += 1
                self.send_response(200 if shelf.knows_pieces else 405)
                if shelf.knows_pieces:
                    self.send_header("Upload-Offset", str(len(shelf.begun.get(self.path, b""))))
                self.end_headers()

            def do_PUT(self) -> None:
                length = int(self.headers["Content-Length"])
                place = self.headers.get("Content-Range")
                before = shelf.begun.get(self.path, b"") if place else b""
                assert place is None or read_content_range(place, len(before) + length) == len(before)
                if shelf.breaks:
                    shelf.begun[self.path] = before + self.rfile.read(shelf.breaks.pop(0))
                    self.close_connection = True
                    return
                shelf.came += length
                status = shelf.take(self.path, self.headers["Authorization"], before + self.rfile.read(length))
                answer = json.dumps({"detail": f"says {status}"}).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.02,))
        self.port = self.server.server_address[1]
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"

    def take(self, path: str, header: str, body: bytes) -> int:
        self.tries += 1
        if self.answers:
            return self.answers.pop(0)
        try:
            claim = read_upload_token(header, self.keys.get)
        except MessageError:
            return 401
        sha256 = hashlib.sha256(body).hexdigest()
        if (path, claim.sha256, claim.size_bytes) != (f"/api/v1/evidence/{sha256}", sha256, len(body)):
            return 422
        self.files[sha256] = body
        return 201

    def __enter__(self) -> Self:
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()
