"""Finds the signer of a log when an append needs one; the signer is imported only then."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ledger.user_folders import keys_folder, needed

if TYPE_CHECKING:
    from ledger.log.signer import LogSigner


class Signers:
    """The signers of all logs whose keys are in a folder."""

    def __init__(self, keys: Path | None = None) -> None:
        self.folder = keys or keys_folder()
        """The folder with the keys; None if none was named and the user has no home folder."""
        self._known: dict[str, LogSigner | None] = {}

    @property
    def keys(self) -> Path:
        """The folder with the keys. Raises InvalidInput if there is none."""
        return needed(self.folder, "the keys of logs", "AUTHLEDGER_LOG_KEYS")

    def __call__(self, origin: str) -> LogSigner | None:
        """The signer of the log called `origin`; None if its key is not here.

        Without it, appends go on unsigned.
        """
        if self.folder is None:
            return None
        if origin not in self._known:
            from ledger.log.signer import LogSigner  # noqa: PLC0415  Brings cryptography along.

            signer = LogSigner(self.folder, origin)
            self._known[origin] = signer if signer.key.exists else None
        return self._known[origin]
