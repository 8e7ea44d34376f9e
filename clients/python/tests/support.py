"""What the tests of the client need: a server's address, material, and servers that misbehave."""

from __future__ import annotations

import http.client
import http.server
import os
import socket
import sys
import threading
import unittest
import urllib.parse
from typing import Any, Callable, Dict, List, Optional, Tuple

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir))

import lktrack  # noqa: E402

#: A running lktrack, one with `limits.upload_bytes` of 1 MB, a video, its box, and a folder of images with its box.
URL = os.environ["LKTRACK_TEST_URL"]
LIMITED_URL = os.environ["LKTRACK_TEST_LIMITED_URL"]
CLIP, CLIP_ROI, CLIP_FRAMES = os.environ["LKTRACK_TEST_CLIP"].split(":")
FOLDER, FOLDER_ROI, FOLDER_FRAMES = os.environ["LKTRACK_TEST_FOLDER"].split(":")


class TestCase(unittest.TestCase):
    def open(self, url: str, **options: Any) -> lktrack.Client:
        """A client that is closed when the test is over."""
        client = lktrack.Client(url, **options)
        self.addCleanup(client.close)
        return client


class Clock:
    """Stands in for time.sleep: remembers what it was asked for, and does not wait."""

    def __init__(self) -> None:
        self.waits: List[float] = []

    def __call__(self, seconds: float) -> None:
        self.waits.append(seconds)


class Request:
    def __init__(self, handler: http.server.BaseHTTPRequestHandler) -> None:
        self.method = handler.command
        self.path = handler.path
        self.headers: Dict[str, str] = {name.lower(): value for name, value in handler.headers.items()}
        length = int(self.headers.get("content-length", 0))
        self.body = handler.rfile.read(length)


#: What is done with the n-th request: an answer (status, headers, body), or None for the connection to be cut.
Answer = Optional[Tuple[int, Dict[str, str], bytes]]


class Fake:
    """A server that answers as it is told, and remembers what it was asked."""

    def __init__(self, behave: Callable[[int, Request], Answer]) -> None:
        self.requests: List[Request] = []
        fake = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_one_request(self) -> None:
                self.raw_requestline = self.rfile.readline(65537)
                if not self.raw_requestline or not self.parse_request():
                    self.close_connection = True
                    return
                request = Request(self)
                fake.requests.append(request)
                answer = behave(len(fake.requests) - 1, request)
                if answer is None:
                    self.close_connection = True
                    return
                status, headers, body = answer
                self.send_response(status)
                cut = headers.pop("X-Cut-After", None)
                for name, value in headers.items():
                    self.send_header(name, value)
                if "Transfer-Encoding" not in headers and "Content-Length" not in headers:
                    self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body if cut is None else body[:int(cut)])
                if cut is not None:
                    self.wfile.flush()
                    self.close_connection = True

            def log_message(self, *_: Any) -> None:
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = "http://127.0.0.1:%d" % self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)

    def __enter__(self) -> "Fake":
        self._thread.start()
        return self

    def __exit__(self, *_: Any) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def forward(request: Request) -> Tuple[int, Dict[str, str], bytes]:
    """Asks the real server."""
    parts = urllib.parse.urlsplit(URL)
    connection = http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=60)
    try:
        connection.request(request.method, request.path, body=request.body, headers=request.headers)
        response = connection.getresponse()
        body = response.read()
        kept = ("content-type", "location", "retry-after", "etag", "link", "idempotency-replayed", "upload-offset")
        headers = {name: value for name, value in response.getheaders() if name.lower() in kept}
        return response.status, headers, body
    finally:
        connection.close()


def closed_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
