"""The folder of a log's keys, and beside them the signer's record.

    keys/example.com_ledger/
        verifier.key      the verifier key, for those who check
        private.key       the private key, mode 0600; or
        signer-command    the command that signs instead, such as one that asks a KMS
        previous.…        during a rotation, the files of the key before, which signs as well
        last-checkpoint   the signer's record: the last checkpoint that was released, verbatim

The folder lies outside the ledger's folder: somebody who can write the database must not be able
to sign it, and an older copy of the ledger that is restored must meet a record that is newer.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from ledger import durable_file
from ledger.errors import KeyUnusable
from ledger.log.signer_record import SignerRecord
from ledger.log.signing_key import (
    PRIVATE_KEY,
    SIGNER_COMMAND,
    VERIFIER_KEY,
    NewKey,
    SigningKey,
)
from ledger.merkle.checkpoint import Checkpoint
from ledger.merkle.signing import Verifier
from ledger.persistence.location import Location, SQLiteFile, location_of

_PREVIOUS: Final = "previous."
_RECORD: Final = "last-checkpoint"


class LogKey:
    """The key of one log, during a rotation also the key before it, and the signer's record."""

    def __init__(self, keys: Path, origin: str) -> None:
        """`keys` is the folder with the keys of all logs. Nothing is read yet."""
        self.origin = origin
        self.folder = keys / origin.replace("/", "_")
        self._record = SignerRecord(self.folder / _RECORD)
        self._open()

    def _open(self) -> None:
        self._current = SigningKey(self.folder, self.origin)
        self._previous = SigningKey(self.folder, self.origin, _PREVIOUS)

    @property
    def exists(self) -> bool:
        """Whether the folder has a key."""
        return self._current.exists

    # -- making ----------------------------------------------------------------------------------

    def create(
        self, ledger: Location | Path | str, *, command: str | None = None, vkey: str | None = None
    ) -> None:
        """Make the log's key: a new one, or a signer command with its verifier key.

        `ledger` is where the ledger is: the key must not lie in the same folder. Raises
        InvalidInput, KeyUnusable.
        """
        if self.exists:
            raise KeyUnusable(
                f"{self.folder} has a key already.",
                remedy="`authledger log key show` prints its verifier key.",
            )
        self._check_is_elsewhere(location_of(ledger))
        new = NewKey.of(self.origin, command, vkey)
        with self._change_errors():
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.folder.chmod(0o700)
            self._install(new)

    def _check_is_elsewhere(self, location: Location) -> None:
        if not isinstance(location, SQLiteFile):
            return
        ledger_folder = location.path.resolve().parent
        if self.folder.resolve().is_relative_to(ledger_folder):
            raise KeyUnusable(
                f"The key folder {self.folder} lies within the ledger's folder {ledger_folder}: "
                "anybody who can write the ledger could sign it as well.",
                remedy="Name another folder with AUTHLEDGER_LOG_KEYS, or keep the "
                "ledger in a folder of its own.",
            )

    def _install(self, new: NewKey) -> None:
        for name, text in ((PRIVATE_KEY, new.private_text), (SIGNER_COMMAND, new.command)):
            if text is not None:
                self._write(name, f"{text}\n")
            else:
                (self.folder / name).unlink(missing_ok=True)
        # Last, because it shows that the key is there.
        self._write(VERIFIER_KEY, f"{new.vkey}\n")

    # -- rotating --------------------------------------------------------------------------------

    @property
    def previous(self) -> Verifier | None:
        """The key that signs beside the current one during a rotation; None at other times."""
        if not self._previous.exists or self._previous.verifier == self.verifier:
            return None
        return self._previous.verifier

    def check_rotates(self) -> None:
        """Raises KeyUnusable during a rotation."""
        if self.previous is not None:
            raise KeyUnusable(
                f"The last rotation is not over: the key {self.previous} still signs as well.",
                remedy="First run: authledger log key retire",
            )

    def rotate(self, new: NewKey) -> None:
        """Let a new key sign, and the key that signed until now sign beside it.

        If it was interrupted, it can be repeated: the old key's copy is complete before anything
        else changes. Raises KeyUnusable.
        """
        self.check_rotates()
        with self._change_errors():
            if not self._previous.exists:
                for name in (PRIVATE_KEY, SIGNER_COMMAND, VERIFIER_KEY):
                    if (self.folder / name).exists():
                        text = (self.folder / name).read_text(encoding="utf-8")
                        self._write(_PREVIOUS + name, text)
            self._install(new)
        self._open()

    def retire(self) -> None:
        """End the rotation: delete the files of the previous key. Raises KeyUnusable."""
        with self._change_errors():
            for name in (VERIFIER_KEY, PRIVATE_KEY, SIGNER_COMMAND):
                (self.folder / f"{_PREVIOUS}{name}").unlink(missing_ok=True)

    # -- signing ---------------------------------------------------------------------------------

    @property
    def verifier(self) -> Verifier:
        """Raises KeyUnusable, or NotFound if there is no key."""
        return self._current.verifier

    @property
    def verifiers(self) -> tuple[Verifier, ...]:
        """All keys that sign now, the current one first."""
        return (self.verifier, *filter(None, (self.previous,)))

    def sign(self, checkpoint: Checkpoint) -> str:
        """The signed note. Raises KeyUnusable."""
        text = checkpoint.text()
        keys = [self._current] if self.previous is None else [self._current, self._previous]
        # A checkpoint's text has no empty line, so the note can be written without a check.
        note = f"{text}\n" + "".join(key.sign(text).line() for key in keys)
        self._record.cache(note, checkpoint)
        return note

    def last(self) -> Checkpoint | None:
        """The last checkpoint that this key signed and that was released. Raises KeyUnusable."""
        return self._record.last()

    def recorded(self) -> Checkpoint | None:
        """The same, for verification. Raises KeyUnusable also if this key can sign and has no
        record: without it, nothing shows that an older copy replaced the ledger.
        """
        last = self.last()
        if last is None and any(
            (self.folder / each).exists() for each in (PRIVATE_KEY, SIGNER_COMMAND)
        ):
            raise KeyUnusable(
                f"{self.folder / _RECORD}, the signer's record, is missing, although the key is here",
                remedy="Check the ledger against a checkpoint that an auditor kept (`authledger log "
                "verify --since FILE`). The next checkpoint makes a new record.",
            )
        return last

    def remember(self, note: str) -> None:
        """Record a released checkpoint: nothing that contradicts it is signed from now on.

        Raises KeyUnusable.
        """
        self._record.remember(note)

    # -- files -----------------------------------------------------------------------------------

    def _write(self, name: str, content: str) -> None:
        durable_file.write(self.folder / name, content.encode())

    @contextmanager
    def _change_errors(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise KeyUnusable(
                f"The key folder {self.folder} could not be written: {error}."
            ) from error
