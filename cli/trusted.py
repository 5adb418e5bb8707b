"""The `authledger.toml` files that the user trusts: which file, and with which content.

The list lies in the user's configuration folder, one small JSON file for each entry, so that what
is unpacked or cloned into a working folder cannot add itself:

    trusted/3f0c….json    {"file": "/home/me/audit/authledger.toml", "sha256": "9b1d…"}

An entry is found by the path, and counts as long as the content is the same. The folder of the path
is resolved and the last name is not: a symbolic link to a trusted file is another file, since the
paths in it would mean another folder.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from pathlib import Path


def place_of(file: Path) -> str:
    """The path by which a file is trusted."""
    return str(file.parent.resolve() / file.name)


def sha256_of(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


class TrustedFiles:
    """The files that the user trusts, by `authledger trust`."""

    def __init__(self, folder: Path | None) -> None:
        """Without a folder, or where it does not exist, nothing is trusted."""
        self._folder = folder

    def sha256(self, file: Path) -> str | None:
        """The digest of the content that was trusted; None if the file never was."""
        return dict(self.entries()).get(place_of(file))

    def entries(self) -> Iterator[tuple[str, str]]:
        """Every trusted path, and the SHA-256 of its content. Raises InvalidInput."""
        from ledger.errors import InvalidInput

        for path in sorted(self._folder.glob("*.json")) if self._folder else ():
            try:
                entry = json.loads(path.read_text(encoding="utf-8"))
                yield str(entry["file"]), str(entry["sha256"])
            except (ValueError, TypeError, KeyError, RecursionError) as error:
                raise InvalidInput(
                    f"{path} cannot be read as a list entry of `authledger trust`: {error!r}.",
                    remedy="Delete that file, then trust the folder again.",
                ) from error

    def add(self, file: Path, content: bytes) -> None:
        """Trust a file with this content, durably. Raises OSError, and InvalidInput without a
        folder.
        """
        from ledger import durable_file

        path = self._path(file)
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        entry = {"file": place_of(file), "sha256": sha256_of(content)}
        durable_file.write(path, json.dumps(entry).encode())

    def remove(self, file: Path) -> bool:
        """Trust a file no longer; False if it was not trusted. Raises OSError."""
        if self.sha256(file) is None:
            return False
        self._path(file).unlink(missing_ok=True)
        return True

    def _path(self, file: Path) -> Path:
        from ledger.user_folders import needed

        folder = needed(self._folder, "what is trusted")
        return folder / f"{sha256_of(os.fsencode(place_of(file)))}.json"
