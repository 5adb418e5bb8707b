"""Which keys to trust (c2sp.org/tlog-policy): logs, witnesses, and how many must cosign.

    log <vkey> [<url>]                         vkey of type 01; its name is the log's origin
    witness <name> <vkey> [<url>]              vkey of type 04
    group <name> all|any|<k> <name>…           witnesses or groups of earlier lines
    quorum <name>|none                         exactly once

A policy comes from the person who verifies, never together with what is verified.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from ledger.merkle.checkpoint import Checkpoint, parse_checkpoint
from ledger.merkle.invalid import NoteInvalid, PolicyInvalid
from ledger.merkle.note import Note
from ledger.merkle.signing import Algorithm, Verified, Verifier, verify_note

POLICY_BYTES_MAX: Final = 1_000_000
NO_QUORUM: Final = "none"

_FORBIDDEN = re.compile(rb"[\x00-\x08\x0b-\x1f\x7f]")
_BLANKS = re.compile("[ \t]+")
_THRESHOLD = re.compile("[1-9][0-9]{0,8}")


@dataclass(frozen=True, slots=True)
class Group:
    """Counts as one witness when at least `threshold` of its members count."""

    threshold: int
    members: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Accepted:
    """A checkpoint that satisfies a policy, the key of its log, and the cosignatures."""

    checkpoint: Checkpoint
    log: Verifier
    cosignatures: tuple[Verified, ...]


@dataclass(frozen=True, slots=True)
class Policy:
    """Logs, witnesses by their name in the policy, groups in order, and the quorum."""

    logs: tuple[Verifier, ...] = ()
    witnesses: Mapping[str, Verifier] = field(default_factory=dict)
    groups: Mapping[str, Group] = field(default_factory=dict)
    quorum: str = NO_QUORUM
    urls: Mapping[Verifier, str] = field(default_factory=dict)
    """The addresses of logs and witnesses, as far as the policy has them."""

    def satisfied_by(self, cosigners: Collection[Verifier]) -> bool:
        """Whether these cosigners are enough. Each must have a valid cosignature."""
        if self.quorum == NO_QUORUM:
            return True
        witnessed = {name for name, verifier in self.witnesses.items() if verifier in cosigners}
        for name, group in self.groups.items():  # Members are defined before their group.
            if sum(member in witnessed for member in group.members) >= group.threshold:
                witnessed.add(name)
        return self.quorum in witnessed

    def accept(self, note: Note) -> Accepted:
        """Verify the note: signed by its own log, and cosigned as the quorum requires.

        Raises NoteInvalid or PolicyInvalid.
        """
        verified = verify_note(note, (*self.logs, *self.witnesses.values()))
        checkpoint = parse_checkpoint(note.text)
        log = next(
            (
                each.verifier
                for each in verified
                if each.verifier in self.logs and each.verifier.name == checkpoint.origin
            ),
            None,
        )
        if log is None:
            raise NoteInvalid(
                f"No trusted key of the log {checkpoint.origin!r} signed the checkpoint."
            )
        cosignatures = tuple(each for each in verified if each.signed_at is not None)
        if not self.satisfied_by({each.verifier for each in cosignatures}):
            names = ", ".join(each.verifier.name for each in cosignatures) or "nobody"
            raise PolicyInvalid(
                f"The quorum {self.quorum!r} is not reached: valid cosignatures are by {names}."
            )
        return Accepted(checkpoint, log, cosignatures)


def trusting(logs: Iterable[Verifier]) -> Policy:
    """The policy that trusts the logs' keys, and requires no witness."""
    return Policy(logs=tuple(logs))


def parse_policy(data: bytes) -> Policy:
    """Read a policy file. Raises PolicyInvalid, which names the line."""
    if len(data) > POLICY_BYTES_MAX:
        raise PolicyInvalid(
            f"The policy has {len(data)} bytes; at most {POLICY_BYTES_MAX} are read."
        )
    if _FORBIDDEN.search(data):
        raise PolicyInvalid("The policy has a control character other than tab and line end.")
    if not data.endswith(b"\n"):
        raise PolicyInvalid("The policy's last line has no line end: the file may be cut off.")
    draft = _Draft()
    # Names are any bytes: those that are not UTF-8 stay distinct, and are never shown as others.
    lines = data.decode(errors="surrogateescape")[:-1].split("\n")
    for number, line in enumerate(lines, start=1):
        words = _BLANKS.split(line.strip(" \t"))
        if words == [""] or words[0].startswith("#"):
            continue
        try:
            draft.add(*words)
        except (NoteInvalid, PolicyInvalid) as error:
            raise PolicyInvalid(f"Line {number} of the policy: {error}") from error
    return draft.policy()


class _Draft:
    """A policy while its lines are being read."""

    def __init__(self) -> None:
        self._logs: list[Verifier] = []
        self._witnesses: dict[str, Verifier] = {}
        self._groups: dict[str, Group] = {}
        self._grouped: set[str] = set()
        self._quorum: str | None = None
        self._urls: dict[Verifier, str] = {}

    def add(self, keyword: str, *words: str) -> None:
        match keyword, words:
            case "log", (vkey, *url) if len(url) <= 1:
                self._add_log(vkey, url)
            case "witness", (name, vkey, *url) if len(url) <= 1:
                self._add_witness(name, vkey, url)
            case "group", (name, threshold, _, *_):
                self._add_group(name, threshold, words[2:])
            case "quorum", (name,):
                self._set_quorum(name)
            case _:
                raise PolicyInvalid(
                    "expected log VKEY [URL], witness NAME VKEY [URL], group NAME all|any|K "
                    "MEMBER…, or quorum NAME|none."
                )

    def policy(self) -> Policy:
        if self._quorum is None:
            raise PolicyInvalid(
                "The policy has no quorum line; to require no witness, add: quorum none"
            )
        return Policy(tuple(self._logs), self._witnesses, self._groups, self._quorum, self._urls)

    def _add_log(self, vkey: str, url: list[str]) -> None:
        self._logs.append(self._verifier(vkey, Algorithm.ED25519, self._logs, url))

    def _add_witness(self, name: str, vkey: str, url: list[str]) -> None:
        self._check_new(name)
        known = self._witnesses.values()
        self._witnesses[name] = self._verifier(vkey, Algorithm.COSIGNATURE, known, url)

    def _add_group(self, name: str, threshold: str, members: tuple[str, ...]) -> None:
        self._check_new(name)
        for member in members:
            self._check_defined(member)
            if member in self._grouped:
                raise PolicyInvalid(
                    f"{member!r} is already a member of a group, and would count twice."
                )
            self._grouped.add(member)
        self._groups[name] = Group(_threshold(threshold, len(members)), members)

    def _set_quorum(self, name: str) -> None:
        if self._quorum is not None:
            raise PolicyInvalid("there is a quorum line already.")
        if name != NO_QUORUM:
            self._check_defined(name)
        self._quorum = name

    def _verifier(
        self, vkey: str, algorithm: Algorithm, known: Iterable[Verifier], url: list[str]
    ) -> Verifier:
        verifier = Verifier.parse(vkey)
        if verifier.algorithm is not algorithm:
            raise PolicyInvalid(f"the key's type is {verifier.algorithm:02x}, not {algorithm:02x}.")
        if verifier.public_key in {each.public_key for each in known}:
            raise PolicyInvalid("an earlier line has the same public key.")
        self._urls.update((verifier, each) for each in url)
        return verifier

    def _check_new(self, name: str) -> None:
        if name == NO_QUORUM or name in self._witnesses or name in self._groups:
            raise PolicyInvalid(f"the name {name!r} is used already.")

    def _check_defined(self, name: str) -> None:
        if name not in self._witnesses and name not in self._groups:
            raise PolicyInvalid(f"no earlier line defines {name!r}.")


def _threshold(text: str, members: int) -> int:
    if text in {"any", "all"}:
        return 1 if text == "any" else members
    if not _THRESHOLD.fullmatch(text) or int(text) > members:
        raise PolicyInvalid(f"{text!r} is not all, any, or a number from 1 to {members}.")
    return int(text)
