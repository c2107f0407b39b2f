"""Small web servers: a camera's pictures over HTTP, or what is found where a camera was expected."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

Answer = Callable[[BaseHTTPRequestHandler], None]


@contextmanager
def web_server(answers: dict[str, Answer]) -> Iterator[str]:
    """Serves each path by its answer, everything else as 404; gives the address without a path."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answer = answers.get(self.path.partition("?")[0])
            try:
                if answer:
                    answer(self)
                else:
                    self.send_error(404)
            except (BrokenPipeError, ConnectionResetError):
                self.close_connection = True

        def log_message(self, *_: object) -> None:
            """Quietly."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(20)


def text(content_type: str, body: bytes, status: int = 200) -> Answer:
    """One whole answer."""

    def answer(request: BaseHTTPRequestHandler) -> None:
        request.send_response(status)
        request.send_header("Content-Type", content_type)
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body)

    return answer


def pictures(jpegs: list[bytes], stop: threading.Event, *, multipart: bool = True) -> Answer:
    """JPEG pictures without an end, 50 a second: as a multipart stream, or simply one behind the other."""

    def answer(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        kind = "multipart/x-mixed-replace; boundary=picture" if multipart else "video/x-motion-jpeg"
        request.send_header("Content-Type", kind)
        request.end_headers()
        number = 0
        while not stop.wait(0.02):
            jpeg = jpegs[number % len(jpegs)]
            if multipart:
                head = f"--picture\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n".encode()
                request.wfile.write(head + jpeg + b"\r\n")
            else:
                request.wfile.write(jpeg)
            number += 1

    return answer
