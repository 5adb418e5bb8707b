"""Ed25519 keys that sign and verify notes: keys of logs, and keys of witnesses.

    0x01  c2sp.org/signed-note        Ed25519 over the note's text
    0x04  c2sp.org/tlog-cosignature   uint64 big-endian POSIX time ‖ Ed25519 over
                                      cosignature/v1⏎ time <seconds>⏎ and the note's text

    key id        SHA-256(name ‖ 0x0A ‖ algorithm ‖ public key)[:4]
    verifier key  name+hex(key id)+base64(algorithm ‖ public key)
    private key   PRIVATE+KEY+name+hex(key id)+base64(algorithm ‖ seed)

Only this module imports `cryptography`, which is slow to import: import it where it is used.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import IntEnum
from hashlib import sha256
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from ledger.merkle.invalid import NoteInvalid
from ledger.merkle.note import Note, Signature, base64_bytes, base64_text, check_name

KEY_BYTES: Final = 32
"""The length of a public key, and of a seed."""
TIME_MAX: Final = 2**63 - 1

_SIGNATURE_BYTES = 64
_TIME_BYTES = 8
_PRIVATE = "PRIVATE+KEY+"


class Algorithm(IntEnum):
    """The signature type identifier: the byte before a key."""

    ED25519 = 0x01
    COSIGNATURE = 0x04


@dataclass(frozen=True, slots=True)
class Verifier:
    """A public key with its name."""

    name: str
    algorithm: Algorithm
    public_key: bytes
    key_id: bytes = field(init=False)

    def __post_init__(self) -> None:
        """Raises NoteInvalid if the name is not valid, or the key does not have 32 bytes."""
        check_name(self.name)
        if len(self.public_key) != KEY_BYTES:
            raise NoteInvalid(f"The key {self.name} has {len(self.public_key)} bytes, not 32.")
        object.__setattr__(self, "key_id", _key_id(self.name, self.algorithm, self.public_key))

    @classmethod
    def parse(cls, vkey: str) -> Verifier:
        """Parse a verifier key. Raises NoteInvalid."""
        name, key_id, algorithm, public_key = _parse_key(vkey)
        verifier = cls(name, algorithm, public_key)
        _check_key_id(verifier, key_id)
        return verifier

    def __str__(self) -> str:
        return _key_text(self, self.public_key)

    def verify(self, text: str, signature: bytes) -> int | None:
        """Verify a signature; raises NoteInvalid if it is not this key's signature of this text.

        Returns the time in a cosignature, in seconds since 1970; None for a log's signature.
        """
        if self.algorithm is Algorithm.ED25519:
            self._verify(text.encode(), signature)
            return None
        signed_at = int.from_bytes(signature[:_TIME_BYTES], "big")
        if signed_at > TIME_MAX:
            raise NoteInvalid(f"The cosignature of {self.name} has an impossible time.")
        self._verify(_cosigned(text, signed_at), signature[_TIME_BYTES:])
        return signed_at

    def _verify(self, message: bytes, signature: bytes) -> None:
        if not ed25519_verifies(self.public_key, message, signature):
            raise NoteInvalid(f"The signature of {self.name} does not verify.")


@dataclass(frozen=True, slots=True)
class Signer:
    """A private key with its name. The seed is 32 bytes from a secure random source."""

    name: str
    algorithm: Algorithm
    seed: bytes = field(repr=False)
    verifier: Verifier = field(init=False)
    _private_key: Ed25519PrivateKey = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Raises NoteInvalid for the same reasons as `Verifier`."""
        if len(self.seed) != KEY_BYTES:
            raise NoteInvalid(f"The private key {self.name} has {len(self.seed)} bytes, not 32.")
        private_key = Ed25519PrivateKey.from_private_bytes(self.seed)
        object.__setattr__(self, "_private_key", private_key)
        public_key = private_key.public_key().public_bytes_raw()
        object.__setattr__(self, "verifier", Verifier(self.name, self.algorithm, public_key))

    @classmethod
    def parse(cls, private_key: str) -> Signer:
        """Parse a private key. Raises NoteInvalid, whose text never shows the key."""
        if not private_key.startswith(_PRIVATE):
            raise NoteInvalid(f"A private key begins with {_PRIVATE}.")
        name, key_id, algorithm, seed = _parse_key(private_key.removeprefix(_PRIVATE))
        signer = cls(name, algorithm, seed)
        _check_key_id(signer.verifier, key_id)
        return signer

    def private_text(self) -> str:
        """The private key as text. It must stay secret: with it anybody can sign."""
        return _PRIVATE + _key_text(self.verifier, self.seed)

    def sign(self, text: str) -> Signature:
        """Sign a note's text as a log does, with its final line end."""
        if self.algorithm is not Algorithm.ED25519:
            raise ValueError(f"{self.name} is a witness's key: use cosign, which needs a time.")
        return self._signature(self._private_key.sign(text.encode()))

    def cosign(self, text: str, signed_at: int) -> Signature:
        """Sign a note's text as a witness does; the time is in seconds since 1970."""
        if self.algorithm is not Algorithm.COSIGNATURE:
            raise ValueError(f"{self.name} is a log's key: use sign, which takes no time.")
        if not 0 <= signed_at <= TIME_MAX:
            raise ValueError(f"{signed_at} is not a valid time in seconds since 1970.")
        signature = self._private_key.sign(_cosigned(text, signed_at))
        return self._signature(signed_at.to_bytes(_TIME_BYTES, "big") + signature)

    def _signature(self, signature: bytes) -> Signature:
        return Signature(self.name, self.verifier.key_id, signature)


@dataclass(frozen=True, slots=True)
class Verified:
    """A verified signature: its key, and the time in it if it is a cosignature."""

    verifier: Verifier
    signed_at: int | None


def verify_note(note: Note, trusted: Iterable[Verifier]) -> tuple[Verified, ...]:
    """The signatures by trusted keys, verified, in the note's order; others are ignored.

    Raises NoteInvalid if no trusted key signed, if a signature that names a trusted key does not
    verify, even if others do, and if two trusted keys have the same name and key id.
    """
    known = _by_identity(trusted)
    verified = tuple(
        Verified(verifier, verifier.verify(note.text, each.signature))
        for each in note.signatures
        if (verifier := known.get((each.name, each.key_id)))
    )
    if not verified:
        names = ", ".join(sorted({each.name for each in note.signatures})) or "nobody"
        raise NoteInvalid(f"No trusted key signed the note; it is signed by {names}.")
    return verified


def ed25519_verifies(public_key: bytes, message: bytes, signature: bytes) -> bool:
    """Whether the signature is the key's over the message (RFC 8032). Never raises."""
    if (len(public_key), len(signature)) != (KEY_BYTES, _SIGNATURE_BYTES):
        return False
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, message)
    except (InvalidSignature, ValueError):  # ValueError: the key is not a point of the curve.
        return False
    return True


def _by_identity(trusted: Iterable[Verifier]) -> dict[tuple[str, bytes], Verifier]:
    known: dict[tuple[str, bytes], Verifier] = {}
    for verifier in trusted:
        if known.setdefault((verifier.name, verifier.key_id), verifier) != verifier:
            raise NoteInvalid(f"Two trusted keys have the name and key id of {verifier}.")
    return known


def _cosigned(text: str, signed_at: int) -> bytes:
    return f"cosignature/v1\ntime {signed_at}\n{text}".encode()


def _key_id(name: str, algorithm: Algorithm, public_key: bytes) -> bytes:
    return sha256(name.encode() + b"\n" + bytes([algorithm]) + public_key).digest()[:4]


def _key_text(verifier: Verifier, key: bytes) -> str:
    encoded = base64_text(bytes([verifier.algorithm]) + key)
    return f"{verifier.name}+{verifier.key_id.hex()}+{encoded}"


def _parse_key(text: str) -> tuple[str, bytes, Algorithm, bytes]:
    """Returns name, key id, algorithm and key. Only the first two plus signs are separators.

    No message shows the key, because it may be private.
    """
    parts = text.split("+", 2)
    if len(parts) != 3 or not re.fullmatch("[0-9a-f]{8}", parts[1]):
        raise NoteInvalid(
            "A key has the form NAME+KEYID+BASE64, where KEYID is 8 hexadecimal digits."
        )
    name, key_id, encoded = parts
    if not _encodable(name):
        raise NoteInvalid("The key's name is not UTF-8.")
    try:
        data = base64_bytes(encoded, "The key")
    except NoteInvalid:
        raise NoteInvalid(f"The key of {name!r} is not base64.") from None
    try:
        algorithm = Algorithm(data[0] if data else 0)
    except ValueError:
        raise NoteInvalid(
            f"The key of {name!r} is of an unknown type: neither Ed25519 (01) nor cosignature (04)."
        ) from None
    return name, bytes.fromhex(key_id), algorithm, data[1:]


def _encodable(name: str) -> bool:
    """Whether the name can be written as UTF-8; a text with lone surrogates cannot."""
    return not any("\ud800" <= each <= "\udfff" for each in name)


def _check_key_id(verifier: Verifier, key_id: bytes) -> None:
    if verifier.key_id != key_id:
        raise NoteInvalid(
            f"The key of {verifier.name} has the key id {verifier.key_id.hex()},"
            f" not {key_id.hex()}: its name or its key was altered."
        )
