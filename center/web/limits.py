"""Bodies that are too large are refused before anybody reads them, headers that keep pages safe are always there."""

import json
from collections.abc import Callable, Mapping, Sequence

import anyio
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

SAFE_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; base-uri 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class SafeHeaders:
    """Adds what a response did not set itself. Pages set a wider content policy of their own: no inline scripts."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve the request, its answer's headers completed."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_safely(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in SAFE_HEADERS.items():
                    headers.setdefault(name, value)
                if scope["path"].startswith("/api/"):
                    headers.setdefault("Cache-Control", "no-store")
            await send(message)

        await self._app(scope, receive, send_safely)


class Unread:
    """Ends the connection after an answer that was given before the request's body had come to its end.

    Else the server would read what nobody wants for as long as somebody sends it. A little is read all the same, so
    that a client that sends all of it before it listens hears the answer, and may go on.
    """

    def __init__(self, app: ASGIApp, *, most_bytes: int = 2**20, most_s: float = 2.0) -> None:
        self._app = app
        self._most_bytes = most_bytes
        self._most_s = most_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve the request."""
        headers = Headers(scope=scope) if scope["type"] == "http" else {}
        if headers.get("content-length", "0") == "0" and "transfer-encoding" not in headers:
            await self._app(scope, receive, send)
            return
        is_read = False

        async def receive_and_see() -> Message:
            nonlocal is_read
            message = await receive()
            is_read = not message.get("more_body", False)
            return message

        async def send_at_the_end(message: Message) -> None:
            if message["type"] == "http.response.start" and not is_read:
                left = self._most_bytes
                with anyio.move_on_after(self._most_s):
                    while not is_read and left > 0:
                        left -= len((await receive_and_see()).get("body", b""))
                if not is_read:
                    MutableHeaders(scope=message)["Connection"] = "close"
            await send(message)

        await self._app(scope, receive_and_see, send_at_the_end)


class BodyLimit:
    """Refuses (413) a body longer than `max_bytes`, by its announced length or as it streams.

    Paths below `exempt` limit themselves; `larger` gives paths below which more is taken, and how much, from those
    whom `may_bring_more` knows: a body is read, and a form's files lie on the disk, before any route asks who it is.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        max_bytes: int,
        may_bring_more: Callable[[Request], bool],
        exempt: Sequence[str] = (),
        larger: Mapping[str, int] | None = None,
    ) -> None:
        self._app = app
        self._max_bytes = max_bytes
        self._exempt = tuple(exempt)
        self._larger = dict(larger or {})
        self._may_bring_more = may_bring_more

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve the request if its body is small enough."""
        if scope["type"] != "http" or scope["path"].startswith(self._exempt):
            await self._app(scope, receive, send)
            return
        length = Headers(scope=scope).get("content-length")
        most = await self._most(scope, int(length) if length is not None and length.isdecimal() else None)
        if length is not None and (not length.isdecimal() or int(length) > most):
            await self._refuse(send, most)
            return
        taken = 0

        async def receive_some() -> Message:
            nonlocal taken
            message = await receive()
            taken += len(message.get("body", b""))
            if taken > most:
                raise HTTPException(413, _reason(most))
            return message

        await self._app(scope, receive_some, send)

    async def _most(self, scope: Scope, length: int | None) -> int:
        """How many bytes this request may have; who sends it is asked where the answer depends on that."""
        larger = max((limit for path, limit in self._larger.items() if scope["path"].startswith(path)), default=0)
        if larger <= self._max_bytes or (length is not None and length <= self._max_bytes):
            return self._max_bytes
        if length is not None and length > larger:
            return larger
        is_known: bool = await run_in_threadpool(self._may_bring_more, Request(scope))
        return larger if is_known else self._max_bytes

    async def _refuse(self, send: Send, most: int) -> None:
        problem = {"type": "about:blank", "title": "Content Too Large", "status": 413}
        problem["detail"] = _reason(most)
        body = json.dumps(problem).encode()
        headers = [(b"content-type", b"application/problem+json"), (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": 413, "headers": [*headers, (b"connection", b"close")]})
        await send({"type": "http.response.body", "body": body})


def _reason(most: int) -> str:
    return f"a request may have at most {most} bytes"
