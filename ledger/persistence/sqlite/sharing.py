"""Opens a ledger's files to a group: by default they are their owner's alone.

folder   2770   setgid: what is made in it belongs to the group, the write-ahead log too
files    0660   the ledger, its views, and their write-ahead logs
"""

from __future__ import annotations

import grp
import os
from pathlib import Path
from typing import Final

from ledger.errors import InvalidInput, NotFound

FOLDER: Final = 0o2770
FILES: Final = 0o660
_SUFFIXES: Final = tuple(f"{file}{own}" for file in ("", ".views") for own in ("", "-wal", "-shm"))


def share(ledger: Path, group: str) -> list[Path]:
    """Let a group read and write a ledger and its views; return what was changed.

    Raises NotFound without such a group, InvalidInput if the folder has other files, which would
    be opened too; OSError for a user who does not own the files.
    """
    number = _number_of(group)
    folder = ledger.resolve().parent
    files = [folder / f"{ledger.resolve().name}{suffix}" for suffix in _SUFFIXES]
    _check_is_alone(folder, files)
    changed = [each for each in files if each.exists()]
    for path, mode in ((folder, FOLDER), *((each, FILES) for each in changed)):
        os.chown(path, -1, number)
        path.chmod(mode)
    return [folder, *changed]


def _number_of(group: str) -> int:
    try:
        return grp.getgrnam(group).gr_gid
    except KeyError:
        raise NotFound(
            f"There is no group {group!r}. Nothing was changed.",
            remedy="List the groups with `getent group`.",
        ) from None


def _check_is_alone(folder: Path, files: list[Path]) -> None:
    others = sorted(each.name for each in folder.iterdir() if each not in files)
    if others:
        raise InvalidInput(
            f"The folder {folder} holds {others[0]!r} too. The group needs the folder, and would "
            "get all that is in it. Nothing was changed.",
            remedy="Move the ledger into a folder of its own: `mkdir DIR`, stop its writers, then "
            "`authledger copy --from FILE --to DIR/ledger.db`.",
        )
