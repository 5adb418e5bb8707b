"""A web server on this machine for one test."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import NamedTuple


class Reply(NamedTuple):
    """The answer to a POST."""

    status: int
    data: bytes
    headers: Mapping[str, str] = {}


Answer = Callable[[str, Mapping[str, str], bytes], Reply]
"""Makes the reply from the path, the headers and the body."""


@contextmanager
def serving(answer: Answer) -> Iterator[str]:
    """Run the server while the context lasts; yields its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            reply = answer(self.path, dict(self.headers.items()), body)
            self.send_response(reply.status)
            for name, value in {**reply.headers, "Content-Length": str(len(reply.data))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(reply.data)

        def log_message(self, *_: object) -> None:
            """Print nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()
