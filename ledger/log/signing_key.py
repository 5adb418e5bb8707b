"""One signing key: a private key in a file, or a command that signs, such as one that asks a KMS.

verifier.key      the verifier key
private.key       the private key, mode 0600; or
signer-command    the command that signs instead
"""

from __future__ import annotations

import os
import secrets
import shlex
import stat
import subprocess
from base64 import b64decode
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final, TypeVar

from ledger.errors import InvalidInput, KeyUnusable, NotFound
from ledger.merkle.checkpoint import Checkpoint
from ledger.merkle.invalid import NoteInvalid
from ledger.merkle.note import Signature
from ledger.merkle.signing import Algorithm, Signer, Verifier
from ledger.merkle.tree import EMPTY_ROOT

_Key = TypeVar("_Key")

VERIFIER_KEY: Final = "verifier.key"
PRIVATE_KEY: Final = "private.key"
SIGNER_COMMAND: Final = "signer-command"
COMMAND_S_MAX: Final = 30
"""How long a signer command may take; the writer's lock is held meanwhile."""
_SIGNATURE_BYTES: Final = 64


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key that is not in use yet: its verifier key, and the private key or a signer command."""

    vkey: str
    private_text: str | None = None
    command: str | None = None

    @classmethod
    def of(cls, origin: str, command: str | None = None, vkey: str | None = None) -> NewKey:
        """Generate a key; or take a signer command with its verifier key, and try the command.

        The command signs the checkpoint of the empty log, which every log continues. Raises
        InvalidInput, or KeyUnusable if the command does not give a valid signature.
        """
        try:
            if command is None:
                signer = Signer(origin, Algorithm.ED25519, secrets.token_bytes(32))
                return cls(str(signer.verifier), signer.private_text())
            verifier = Verifier.parse(vkey or "")
        except NoteInvalid as error:
            raise InvalidInput(
                f"The key cannot be made: {error}",
                remedy="Give the log a name such as example.com/authledger.",
            ) from error
        if verifier.name != origin:
            raise InvalidInput(
                f"The verifier key belongs to {verifier.name}, but the log is {origin}."
            )
        _run_signer_command(command, Checkpoint(origin, 0, EMPTY_ROOT).text(), verifier)
        return cls(str(verifier), command=command)


class SigningKey:
    """One key in a log's folder. `prefix` is how the names of its files begin."""

    def __init__(self, folder: Path, origin: str, prefix: str = "") -> None:
        """Nothing is read yet."""
        self.folder = folder
        self.origin = origin
        self._prefix = prefix

    def _path(self, name: str) -> Path:
        return self.folder / f"{self._prefix}{name}"

    @property
    def exists(self) -> bool:
        """Whether its verifier key is there."""
        return self._path(VERIFIER_KEY).exists()

    @cached_property
    def verifier(self) -> Verifier:
        """Raises KeyUnusable, or NotFound if there is no key."""
        return self._parse(VERIFIER_KEY, Verifier.parse)

    def sign(self, text: str) -> Signature:
        """Sign a note's text. Raises KeyUnusable."""
        if self._command is not None:
            return _run_signer_command(self._command, text, self.verifier)
        return self._signer.sign(text)

    @cached_property
    def _signer(self) -> Signer:
        self._check_secret(self._path(PRIVATE_KEY))
        signer = self._parse(PRIVATE_KEY, Signer.parse)
        if signer.verifier != self.verifier:
            raise KeyUnusable(
                f"{self.folder}: {PRIVATE_KEY} and {VERIFIER_KEY} do not belong together.",
                remedy="Restore both files from one backup of the folder.",
            )
        return signer

    @cached_property
    def _command(self) -> str | None:
        path = self._path(SIGNER_COMMAND)
        if not path.exists():
            return None
        self._check_secret(path)
        return path.read_text(encoding="utf-8").strip()

    def _check_secret(self, path: Path) -> None:
        """Raises KeyUnusable if the file or its folder is open to other users."""
        for each in (path, self.folder):
            try:
                mode = each.stat().st_mode
            except FileNotFoundError as error:
                raise KeyUnusable(f"{each} is missing.") from error
            if mode & (stat.S_IRWXG | stat.S_IRWXO):
                raise KeyUnusable(
                    f"{each} is open to other users (mode {stat.S_IMODE(mode):o}): anybody who "
                    "used that can sign as this log.",
                    remedy="If you are sure that nobody did: chmod go= "
                    f"{shlex.quote(os.fspath(each))}. Otherwise start a new log.",
                )

    def _parse(self, name: str, parse: Callable[[str], _Key]) -> _Key:
        path = self._path(name)
        try:
            return parse(path.read_text(encoding="utf-8").rstrip("\n"))
        except FileNotFoundError as error:
            raise NotFound(
                f"There is no key of the log {self.origin} here: {path} is missing.",
                remedy="`authledger log init` makes one; AUTHLEDGER_LOG_KEYS names another folder.",
            ) from error
        except (NoteInvalid, OSError, UnicodeDecodeError) as error:
            raise KeyUnusable(f"{path} is not a valid key: {error}") from error


def _run_signer_command(command: str, text: str, verifier: Verifier) -> Signature:
    """The signature that the command writes: 64 bytes, or their base64. It is verified here."""
    try:
        done = subprocess.run(  # noqa: S603  The owner of the key chose the command.
            shlex.split(command) or [""],  # No program has an empty name.
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
        stderr = getattr(error, "stderr", None) or b""
        why = stderr.decode(errors="replace").strip() or str(error)
        raise KeyUnusable(
            f"The signer command {command!r} did not give a valid signature of {verifier.name}: "
            f"{why}",
            remedy="It must read the checkpoint's text from its standard input, and write the "
            "signature to its standard output: 64 bytes, or their base64.",
        ) from error
    return Signature(verifier.name, verifier.key_id, answer)
