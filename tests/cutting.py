"""A proxy to a server, whose connections a test can cut."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Literal

Cut = Literal["before", "after"]
"""Cut before a COMMIT is forwarded, or after it is forwarded and before its answer is."""


class Way:
    """A loopback port that forwards to another port."""

    def __init__(self, port: int) -> None:
        self._to = port
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listening.getsockname()[1])
        self._open: list[socket.socket] = []
        self.cut_at_commit: Cut | None = None
        self.is_closed = False
        """Whether new connections are closed at once."""
        self.connections = 0
        self.sent = 0
        """How often a client has sent data: once for each round trip."""
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def is_to_cut(self) -> bool:
        """Whether the requested cut has not happened yet."""
        return self.cut_at_commit is not None

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listening.accept()
                if self.is_closed:
                    client.close()
                    continue
                self.connections += 1
                server = socket.create_connection(("127.0.0.1", self._to))
                for end in (client, server):
                    end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self._open += [client, server]
                for ends in ((client, server, 1), (server, client, 0)):
                    threading.Thread(target=self._pass_on, args=ends, daemon=True).start()

    def _pass_on(self, one: socket.socket, other: socket.socket, counted: int) -> None:
        with suppress(OSError):
            while data := one.recv(65_536):
                self.sent += counted
                if b"COMMIT" in data and self.cut_at_commit:
                    when, self.cut_at_commit = self.cut_at_commit, None
                    if when == "after":
                        # Cut the client off first, so that the answer reaches nobody, whichever
                        # direction's thread reads it.
                        one.shutdown(socket.SHUT_RDWR)
                        other.sendall(data)
                        other.settimeout(10)
                        other.recv(65_536)
                    break
                other.sendall(data)
        for end in (one, other):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def cut(self) -> None:
        """Cut all open connections."""
        for end in self._open:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        with suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self.cut()
        for end in self._open:
            end.close()


@contextmanager
def way_to(port: int) -> Iterator[Way]:
    way = Way(port)
    try:
        yield way
    finally:
        way.close()
