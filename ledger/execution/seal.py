"""The seal of snapshots: a program believes only those that it wrote itself, with the user's key.

A snapshot lies in the ledger's file, and decisions follow it. Without a seal, a person who can
write the file could take rights out of it, or put rights in. The key is a file in the folder with
the keys of logs, which lies outside the ledger:

    keys/snapshots.key    32 random bytes, mode 0600

Another user, or another machine, has another key: there the entries are replayed.
"""

from __future__ import annotations

import hmac
import os
import secrets
import stat
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Final

from ledger import durable_file

NAME: Final = "snapshots.key"
_BYTES: Final = 32


class Seal:
    """Seals snapshots, and recognises the seals of the same key."""

    def __init__(self, folder: Path | None) -> None:
        """`folder`: where the key is, or will be. Without it nothing is sealed."""
        self._path = None if folder is None else folder / NAME

    def of(self, stream: str, version: int, entry: bytes, state: str) -> str | None:
        """The seal of a state that a stream has after its entry at a version, in 64 hexadecimal
        digits; None if there is no key and none can be made.
        """
        key = self._key or self._made
        return None if key is None else _seal(key, stream, version, entry, state)

    def fits(self, seal: str, stream: str, version: int, entry: bytes, state: str) -> bool:
        """Whether it is the seal of that state."""
        key = self._key
        if key is None:
            return False
        return hmac.compare_digest(
            seal.encode(), _seal(key, stream, version, entry, state).encode()
        )

    @cached_property
    def _key(self) -> bytes | None:
        """The key; None if it is missing, is another user's, or other users can read it."""
        if self._path is None:
            return None
        try:
            handle = os.open(self._path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        except OSError:
            return None
        try:
            status = os.fstat(handle)
            is_own = stat.S_ISREG(status.st_mode) and status.st_uid == os.geteuid()
            if not is_own or status.st_mode & (stat.S_IRWXG | stat.S_IRWXO):
                return None
            key = os.read(handle, _BYTES + 1)
        except OSError:
            return None
        finally:
            os.close(handle)
        return key if len(key) == _BYTES else None

    @cached_property
    def _made(self) -> bytes | None:
        """A new key; None if it cannot be kept."""
        if self._path is None:
            return None
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            durable_file.write(self._path, secrets.token_bytes(_BYTES))
        except OSError:
            return None
        del self._key
        return self._key


def _seal(key: bytes, stream: str, version: int, entry: bytes, state: str) -> str:
    sealed = f"{stream}\n{version}\n{sha256(entry).hexdigest()}\n{state}"
    return hmac.digest(key, sealed.encode(errors="surrogatepass"), "sha256").hex()
