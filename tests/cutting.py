"""A way to a server that can be cut: it passes bytes on, until it does not."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Literal

Cut = Literal["before", "after"]
"""The commit: not passed on, or passed on and its answer swallowed."""


class Way:
    """A loopback port that leads to another."""

    def __init__(self, port: int) -> None:
        self._to = port
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listening.getsockname()[1])
        self._open: list[socket.socket] = []
        self.cut_at_commit: Cut | None = None
        self.is_closed = False
        """Whether whoever comes is sent away."""
        self.connections = 0
        self.sent = 0
        """How often a client sent something: once a round trip."""
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def is_to_cut(self) -> bool:
        """Whether the cut that was asked for has still to come."""
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
                        # First the client is cut off, so that the answer is given to nobody,
                        # whichever of the two directions' threads takes it.
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
        """Cut all connections that there are."""
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
