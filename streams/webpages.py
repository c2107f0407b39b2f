"""Whether a web server's answer is a page for people: the usual mistake with a camera's address."""

import http.client
import ssl
from urllib.parse import urlsplit

_LOOK_AT_BYTES = 512
_SIGNS = (b"<!doctype html", b"<html", b"<head", b"<body")


def is_web_page(url: str, timeout_s: float) -> bool:
    """Ask once for the start of the answer; False where that cannot be found out."""
    parts = urlsplit(url)
    if not parts.hostname:
        return False
    try:
        connection = (
            http.client.HTTPSConnection(parts.hostname, parts.port, timeout=timeout_s, context=_as_ffmpeg())
            if parts.scheme.lower() == "https"
            else http.client.HTTPConnection(parts.hostname, parts.port, timeout=timeout_s)
        )
        try:
            connection.request("GET", f"{parts.path or '/'}{'?' if parts.query else ''}{parts.query}")
            answer = connection.getresponse()
            kind = answer.headers.get_content_type()
            start = answer.read1(_LOOK_AT_BYTES).lstrip().lower() if kind.startswith("text/") else b""
        finally:
            connection.close()
    except (OSError, http.client.HTTPException, ValueError):
        return False
    return kind in {"text/html", "application/xhtml+xml"} or start.startswith(_SIGNS)


def _as_ffmpeg() -> ssl.SSLContext:
    """FFmpeg takes every certificate, for cameras sign their own; this question tells no more than it did."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
