"""A backup in a folder: a copy of the ledger that only grows, and what shows that it is whole.

    DIR/ledger.db     the copy: byte for byte, verified
    DIR/checkpoint    the newest checkpoint of the copy, a signed note; none if the log has no key
    DIR/backup.json   when the backup was made, from where, how many entries, their root

The two small files are written last, after the copy was verified. A backup that was interrupted
therefore still has those of the one before, which its ledger continues.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from ledger.copying.copy import Copied, OpenLedger
from ledger.durable_file import write
from ledger.merkle.note import base64_text
from ledger.values import instant_text

_FOLDER_MODE: Final = 0o700


@dataclass(frozen=True, slots=True)
class BackupFolder:
    """The folder of one ledger's backup."""

    folder: Path

    @property
    def ledger(self) -> Path:
        return self.folder / "ledger.db"

    @property
    def checkpoint(self) -> Path:
        return self.folder / "checkpoint"

    def make(self) -> None:
        """Make the folder, for its owner alone, unless it is there. Raises OSError."""
        self.folder.mkdir(mode=_FOLDER_MODE, parents=True, exist_ok=True)

    def conclude(
        self, source: OpenLedger, target: OpenLedger, copied: Copied, now: datetime
    ) -> None:
        """Write down what the verified copy has. Raises StoreUnavailable."""
        about = {
            "made_at": instant_text(now),
            "source": str(source.location),
            "size": copied.size,
            "root": base64_text(copied.root),
        }
        with target.store_errors():
            note = target.entries.checkpoint()
            if note is not None:
                write(self.checkpoint, note.encode())
            write(self.folder / "backup.json", f"{json.dumps(about, indent=2)}\n".encode())
