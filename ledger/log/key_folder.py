"""The folder of a log's signing key, and the signer's own record of what it signed last.

    keys/example.com_ledger/
        verifier.key      the verifier key, for those who check
        private.key       the private key, 0600; or
        signer-command    the command that signs instead, such as one that asks a KMS
        previous.…        during a rotation, the key before, which signs as well
    last-checkpoint   the last checkpoint that was signed, verbatim

It lies outside the ledger's folder: who can write to the database must not be able to sign what he
wrote, and who restores an old copy of it must meet a record that is newer.
"""

from __future__ import annotations

import errno
import fcntl
import os
import secrets
import shlex
import stat
import subprocess
from base64 import b64decode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final, TypeVar

from ledger import durable_file
from ledger.errors import InvalidInput, KeyUnusable, NotFound
from ledger.merkle.checkpoint import Checkpoint, parse_checkpoint
from ledger.merkle.invalid import NoteInvalid
from ledger.merkle.note import NOTE_BYTES_MAX, Signature, parse_note
from ledger.merkle.signing import Algorithm, Signer, Verifier
from ledger.merkle.tree import EMPTY_ROOT
from ledger.persistence.location import Location, SQLiteFile, location_of

_Key = TypeVar("_Key")

COMMAND_S_MAX: Final = 30
"""How long a signer command may take; the writer's lock is held meanwhile."""
_SIGNATURE_BYTES: Final = 64
_PREVIOUS: Final = "previous."
_RECORD: Final = "last-checkpoint"


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key that is not in use yet: its verifier key, and the private key or what signs instead."""

    vkey: str
    private_text: str | None = None
    command: str | None = None

    @classmethod
    def of(cls, origin: str, command: str | None = None, vkey: str | None = None) -> NewKey:
        """A fresh key; or a signer command, and the verifier key that its signatures are checked
        with: it signs the checkpoint of the empty log, which every log continues. Raises
        InvalidInput, or KeyUnusable if it does not.
        """
        try:
            if command is None:
                signer = Signer(origin, Algorithm.ED25519, secrets.token_bytes(32))
                return cls(str(signer.verifier), signer.private_text())
            verifier = Verifier.parse(vkey or "")
        except NoteInvalid as error:
            raise InvalidInput(
                f"The key cannot be made: {error}",
                remedy="A log is called by a name such as example.com/authledger.",
            ) from error
        if verifier.name != origin:
            raise InvalidInput(f"The verifier key is of {verifier.name}, the log is {origin}.")
        _asked(command, Checkpoint(origin, 0, EMPTY_ROOT).text(), verifier)
        return cls(str(verifier), command=command)


class LogKey:
    """The key of one log, and during a rotation the one before it."""

    def __init__(self, keys: Path, origin: str) -> None:
        """`keys` is the folder with the keys of all logs. Nothing is read yet."""
        self.origin = origin
        self.folder = keys / origin.replace("/", "_")
        self._current = _SigningKey(self.folder, origin, "")
        self._previous = _SigningKey(self.folder, origin, _PREVIOUS)
        self._known: dict[bytes, Checkpoint] = {}
        """The two that this process signed or read last, so that they are not parsed each time."""

    @property
    def exists(self) -> bool:
        return self._current.exists

    # -- making ----------------------------------------------------------------------------------

    def create(
        self, beside: Location | Path | str, *, command: str | None = None, vkey: str | None = None
    ) -> None:
        """Make a new key, for the ledger at `beside`; or take a signer command and the
        verifier key that its signatures are checked with. Raises KeyUnusable.
        """
        if self.exists:
            raise KeyUnusable(
                f"{self.folder} has a key already.",
                remedy="`authledger log key show` prints its verifier key.",
            )
        location = location_of(beside)
        near = location.path.resolve().parent if isinstance(location, SQLiteFile) else None
        if near is not None and self.folder.resolve().is_relative_to(near):
            raise KeyUnusable(
                f"The keys' folder {self.folder} lies within the ledger's folder {near}: who can write there could sign as well.",
                remedy="Name another with --log-keys or AUTHLEDGER_LOG_KEYS, "
                "or keep the ledger in a folder of its own.",
            )
        new = NewKey.of(self.origin, command, vkey)
        with _key_folder_errors():
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.folder.chmod(0o700)
            self._take(new)

    def _take(self, new: NewKey) -> None:
        for name, text in (("private.key", new.private_text), ("signer-command", new.command)):
            if text is not None:
                self._write(name, f"{text}\n")
            else:
                (self.folder / name).unlink(missing_ok=True)
        # Last, for it says that the key is there.
        self._write("verifier.key", f"{new.vkey}\n")

    # -- rotating --------------------------------------------------------------------------------

    @property
    def previous(self) -> Verifier | None:
        """The key that signs beside the current one, while a rotation is under way."""
        if not self._previous.exists or self._previous.verifier == self.verifier:
            return None
        return self._previous.verifier

    def check_rotates(self) -> None:
        """Raises KeyUnusable while a rotation is under way."""
        if self.previous is not None:
            raise KeyUnusable(
                f"The key {self.previous} of the last rotation is not retired yet.",
                remedy="`authledger log key retire` ends the overlap.",
            )

    def rotate(self, new: NewKey) -> None:
        """Let a new key sign, and the one that signed until now sign beside it.

        Broken off at any point, it can be done again: the old key's copy is whole before anything
        else changes. Raises KeyUnusable.
        """
        self.check_rotates()
        with _key_folder_errors():
            if not self._previous.exists:
                for name in ("private.key", "signer-command", "verifier.key"):
                    if (self.folder / name).exists():
                        text = (self.folder / name).read_text(encoding="utf-8")
                        self._write(_PREVIOUS + name, text)
            self._take(new)
        self._current = _SigningKey(self.folder, self.origin, "")
        self._previous = _SigningKey(self.folder, self.origin, _PREVIOUS)

    def retire(self) -> None:
        """The previous key signs no more; its private key is deleted."""
        with _key_folder_errors():
            for name in ("verifier.key", "private.key", "signer-command"):
                (self.folder / f"{_PREVIOUS}{name}").unlink(missing_ok=True)

    # -- signing ---------------------------------------------------------------------------------

    @property
    def verifier(self) -> Verifier:
        """Raises KeyUnusable, or NotFound if there is no key."""
        return self._current.verifier

    @property
    def verifiers(self) -> tuple[Verifier, ...]:
        """All keys that sign now."""
        return (self.verifier, *filter(None, (self.previous,)))

    def sign(self, checkpoint: Checkpoint) -> str:
        """The signed note. Raises KeyUnusable."""
        text = checkpoint.text()
        keys = [self._current] if self.previous is None else [self._current, self._previous]
        # A checkpoint's text has no empty line, so that the note needs no reading back.
        note = f"{text}\n" + "".join(key.sign(text).line() for key in keys)
        self._keep(note.encode(), checkpoint)
        return note

    # -- the record ------------------------------------------------------------------------------

    def last(self) -> Checkpoint | None:
        """The last checkpoint that this key signed and that was released. Raises KeyUnusable."""
        try:
            data = (self.folder / _RECORD).read_bytes()
        except FileNotFoundError:
            return None
        try:
            return self._read(data)
        except NoteInvalid:
            with self._locked_record() as handle:  # Another process may be writing it just now.
                return self._recorded(handle)

    def remember(self, note: str) -> None:
        """The checkpoint was released: from now on nothing that contradicts it is signed.

        Not waiting for the disk: a record that lost its newest state to a power cut is an older
        one, which is true as well; one that was torn is told from it. Written in place and in one
        write, which takes a fifth of the time that a new file takes. Raises KeyUnusable.
        """
        record = note.encode()
        size = self._read(record).size
        with self._record_written(), self._locked_record() as handle:
            known = self._recorded(handle)
            if known is None or known.size < size:
                _put_at_once(handle, record)

    @contextmanager
    def _record_written(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise KeyUnusable(
                f"{self.folder / _RECORD}, the signer's record, could not be written: "
                f"{error.strerror}.",
                remedy="The checkpoint itself is signed and kept in the ledger. Make the record "
                "writable again (free space, permissions): the next checkpoint renews it.",
            ) from error

    @contextmanager
    def _locked_record(self) -> Iterator[int]:
        """The record's file, held against other processes."""
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW
        handle = os.open(self.folder / _RECORD, flags, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield handle
        finally:
            os.close(handle)

    def _recorded(self, handle: int) -> Checkpoint | None:
        """What an open record says; None if it is new."""
        data = os.pread(handle, NOTE_BYTES_MAX + 1, 0)
        try:
            return self._read(data) if data else None
        except NoteInvalid as error:
            raise KeyUnusable(
                f"{self.folder / _RECORD}, the signer's record, cannot be read: {error}",
                remedy="Hold the ledger against an auditor's checkpoint (`authledger log verify "
                "--since`), then delete that file.",
            ) from error

    def _read(self, data: bytes) -> Checkpoint:
        if data not in self._known:
            self._keep(data, parse_checkpoint(parse_note(data).text))
        return self._known[data]

    def _keep(self, data: bytes, checkpoint: Checkpoint) -> None:
        self._known = {**dict(list(self._known.items())[-1:]), data: checkpoint}

    def _write(self, name: str, content: str) -> None:
        durable_file.write(self.folder / name, content.encode())


class _SigningKey:
    """One key in a log's folder; `prefix` is what the names of its files begin with."""

    def __init__(self, folder: Path, origin: str, prefix: str) -> None:
        self.folder = folder
        self.origin = origin
        self._prefix = prefix

    def _path(self, name: str) -> Path:
        return self.folder / f"{self._prefix}{name}"

    @property
    def exists(self) -> bool:
        return self._path("verifier.key").exists()

    @cached_property
    def verifier(self) -> Verifier:
        """Raises KeyUnusable, or NotFound if there is no key."""
        return self._parsed("verifier.key", Verifier.parse)

    def sign(self, text: str) -> Signature:
        """Raises KeyUnusable."""
        command = self._command
        return self._signer.sign(text) if command is None else _asked(command, text, self.verifier)

    @cached_property
    def _signer(self) -> Signer:
        self._check_secret(self._path("private.key"))
        signer = self._parsed("private.key", Signer.parse)
        if signer.verifier != self.verifier:
            raise KeyUnusable(
                f"{self.folder}: private.key and verifier.key do not belong together."
            )
        return signer

    @cached_property
    def _command(self) -> str | None:
        path = self._path("signer-command")
        if not path.exists():
            return None
        self._check_secret(path)
        return path.read_text(encoding="utf-8").strip()

    def _check_secret(self, path: Path) -> None:
        for each in (path, self.folder):
            try:
                mode = each.stat().st_mode
            except FileNotFoundError as error:
                raise KeyUnusable(f"{each} is missing.") from error
            if mode & (stat.S_IRWXG | stat.S_IRWXO):
                raise KeyUnusable(
                    f"{each} can be read by others (mode {stat.S_IMODE(mode):o}); whoever did "
                    "can sign as this log.",
                    remedy=f"If nobody has: chmod go= {shlex.quote(os.fspath(each))}. Else make a "
                    "new log.",
                )

    def _parsed(self, name: str, parse: Callable[[str], _Key]) -> _Key:
        path = self._path(name)
        try:
            return parse(path.read_text(encoding="utf-8").rstrip("\n"))
        except FileNotFoundError as error:
            raise NotFound(
                f"There is no key of the log {self.origin}: {path} is missing.",
                remedy="`authledger log init` makes one; --log-keys names another folder.",
            ) from error
        except (NoteInvalid, OSError, UnicodeDecodeError) as error:
            raise KeyUnusable(f"{path} is no key: {error}") from error


def _asked(command: str, text: str, verifier: Verifier) -> Signature:
    """What the command answers: 64 bytes, or their base64. It is checked before it is used."""
    try:
        done = subprocess.run(  # noqa: S603  The owner of the key wrote it down.
            shlex.split(command) or [""],  # There is no such program.
            input=text.encode(),
            capture_output=True,
            timeout=COMMAND_S_MAX,
            check=True,
        )
        answer = done.stdout
        if len(answer) != _SIGNATURE_BYTES:
            answer = b64decode(answer.strip(), validate=True)
        verifier.verify(text, answer)
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        told = getattr(error, "stderr", None) or b""
        why = told.decode(errors="replace").strip() or str(error)
        raise KeyUnusable(
            f"The signer command {command!r} gave no signature of {verifier.name}: {why}",
            remedy="It reads the checkpoint's text from its input and writes 64 bytes, or "
            "their base64.",
        ) from error
    return Signature(verifier.name, verifier.key_id, answer)


def _put_at_once(handle: int, record: bytes) -> None:
    """Write a record over the one before it. Raises OSError, also if only a part was written."""
    written = os.pwrite(handle, record, 0)
    if written < len(record):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    if os.fstat(handle).st_size > len(record):
        os.ftruncate(handle, len(record))


@contextmanager
def _key_folder_errors() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise KeyUnusable(f"The key cannot be kept: {error}.") from error
