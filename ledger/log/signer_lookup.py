"""Finds the signer of a log when an append needs one. What signs is imported only then."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ledger.user_folders import keys_folder, needed

if TYPE_CHECKING:
    from ledger.log.signer import LogSigner


class Signers:
    """The signers whose keys are in a folder, by their log's origin."""

    def __init__(self, keys: Path | None = None) -> None:
        self.folder = keys or keys_folder()
        """The folder with the keys; None where none is named and the user has no home."""
        self._known: dict[str, LogSigner | None] = {}

    @property
    def keys(self) -> Path:
        """The folder with the keys. Raises InvalidInput where there is none."""
        return needed(self.folder, "the keys of logs", "AUTHLEDGER_LOG_KEYS")

    def __call__(self, origin: str) -> LogSigner | None:
        """The log's signer; None where there is no key of it: then appends go on unsigned."""
        if self.folder is None:
            return None
        if origin not in self._known:
            from ledger.log.signer import LogSigner  # noqa: PLC0415  Brings cryptography along.

            signer = LogSigner(self.folder, origin)
            self._known[origin] = signer if signer.key.exists else None
        return self._known[origin]
