"""Where the views of a ledger's file are: beside it, in the cache folder, or temporary.

beside             this user may write the ledger, or owns it
the cache          the ledger is somebody else's, or on read-only media: a file beside it would
                   be left behind, and the owner could not write it
a temporary file   there is no cache folder that can be written; it goes with its connections
"""

from __future__ import annotations

import os
import shutil
import tempfile
import weakref
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

from ledger.persistence.sqlite.files import Mode, make_alike, make_private, may_write, uri_of
from ledger.user_folders import cache_folder


class Place:
    """The place of some views. A folder that was made for them alone goes with it."""

    def __init__(self, path: Path, made: Path | None = None) -> None:
        self.path = path
        if made is not None:
            weakref.finalize(self, shutil.rmtree, made, ignore_errors=True)

    def uri(self, mode: Mode) -> str:
        """The URI by which SQLite opens the views."""
        return uri_of(self.path, mode)

    def __str__(self) -> str:
        return str(self.path)


def views_path(ledger: Path) -> Path:
    """The place beside a ledger: `ledger.db` has `ledger.db.views`."""
    return ledger.with_name(ledger.name + ".views")


def place_of(ledger: Path) -> Place:
    """The place for the views of a ledger, with an empty file if there was none. Raises OSError."""
    beside = views_path(ledger)
    if _is_ours(ledger) and may_write(beside if beside.exists() else ledger):
        make_alike(beside, ledger)
        return Place(beside)
    with suppress(OSError):
        if (cached := _cached(ledger)) is not None:
            make_private(cached)
            return Place(cached)
    made = Path(tempfile.mkdtemp(prefix="authledger-"))
    make_private(made / "ledger.views")
    return Place(made / "ledger.views", made)


def _is_ours(ledger: Path) -> bool:
    return may_write(ledger) or ledger.stat().st_uid == os.geteuid()


def _cached(ledger: Path) -> Path | None:
    """The file in the cache folder for a ledger of this path; None if it cannot be written."""
    cache = cache_folder()
    if cache is None:
        return None
    folder = cache / "views"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    name = sha256(os.fsencode(ledger.resolve())).hexdigest()[:32]
    path = folder / f"{name}.views"
    return path if may_write(path if path.exists() else folder) else None
