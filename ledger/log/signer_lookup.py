"""Finds the signer of a log when an append needs one. What signs is imported only then."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ledger.log.signer import LogSigner


def default_folder() -> Path:
    """Where the keys of all logs are, by the XDG base directory specification."""
    named = os.environ.get("XDG_CONFIG_HOME", "")
    config = Path(named) if named.startswith("/") else Path.home() / ".config"
    return config / "authledger" / "keys"


class Signers:
    """The signers whose keys are in a folder, by their log's origin."""

    def __init__(self, keys: Path | None = None) -> None:
        self.keys = keys or default_folder()
        self._known: dict[str, LogSigner | None] = {}

    def __call__(self, origin: str) -> LogSigner | None:
        """The log's signer; None where there is no key of it: then appends go on unsigned."""
        if origin not in self._known:
            from ledger.log.signer import LogSigner  # noqa: PLC0415  Brings cryptography along.

            signer = LogSigner(self.keys, origin)
            self._known[origin] = signer if signer.key.exists else None
        return self._known[origin]
