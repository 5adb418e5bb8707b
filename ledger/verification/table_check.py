"""What stands beside the entries: versions of streams, whose commands they are, kept names."""

from __future__ import annotations

from dataclasses import dataclass, field

from ledger.persistence.raw_rows import StoredRows
from ledger.subjects import is_as_registered
from ledger.verification.findings import FINDINGS_MAX, Findings
from ledger.verification.segment import digest_of_command_ids


@dataclass(slots=True)
class Tables:
    """What was found, in the order in which it is told, up to position `last`."""

    versions: Findings = field(default_factory=Findings)
    commands: Findings = field(default_factory=Findings)
    subjects: Findings = field(default_factory=Findings)
    indexes: Findings = field(default_factory=Findings)
    reached: int = 0
    """The last position that a command says it appended."""
    digests: list[str] = field(default_factory=list)
    """Of the command ids that each stretch of positions should have."""


def check_tables(rows: StoredRows, last: int, stretch: int, *, indexes: bool = False) -> Tables:
    """Check them up to position `last`: what others append meanwhile is not looked at.

    `stretch`: how many positions a digest is of; 0 for none. `indexes`: hold them, too, against
    their tables, which takes as long as all the rest.
    """
    done = Tables()
    _versions(rows, last, done.versions)
    _commands(rows, last, stretch, done)
    _subjects(rows, done.subjects)
    for said in rows.index_faults() if indexes else ():
        # An index that lacks a row hides it from who asks by that index, not from who reads the
        # table.
        done.indexes.add("indexes", said)
    return done


def _versions(rows: StoredRows, last: int, found: Findings) -> None:
    """Each stream's versions are 1, 2, 3 …"""
    for stream, lowest, highest, count in rows.broken_streams(last):
        what = f"its versions go from {lowest} to {highest} and are {count}"
        found.add(f"stream {_text(stream)}", what)


def _commands(rows: StoredRows, last: int, stretch: int, done: Tables) -> None:
    """Commands follow on each other without a gap; and which ids the positions then have.

    Sorting the commands once takes a third of the time of looking each entry's up.
    """
    ids: list[str | None] = []

    def add(command_id: str | None, count: int) -> None:
        while count > 0 and stretch:
            taken = min(count, stretch - len(ids))
            ids.extend([command_id] * taken)
            count -= taken
            if len(ids) == stretch:
                done.digests.append(digest_of_command_ids(ids))
                ids.clear()

    for command_id, first, until, is_text in rows.commands(last):
        named = (
            command_id.decode(errors="surrogateescape")
            if command_id is not None and is_text
            else None
        )
        if first != done.reached + 1 or first != until:  # Most are of one entry.
            if first != done.reached + 1 or type(until) is not int or until < first:
                what = f"it has the positions {first} to {until}; the one before ends at "
                done.commands.add(f"command {_text(command_id)}", f"{what}{done.reached}")
            if type(first) is not int or type(until) is not int:
                continue
            add(None, min(first, last + 1) - done.reached - 1)
            add(named, min(until, last) - max(done.reached, first - 1))
        else:
            add(named, 1)
        done.reached = max(done.reached, until)
    done.digests.append(digest_of_command_ids(ids))


def check_named(rows: StoredRows, first: int, last: int, found: Findings) -> None:
    """Find positions between these whose command does not say that it appended them."""
    for position, command_id in rows.unnamed(first, last, FINDINGS_MAX):
        what = f"its command {_text(command_id)} does not say that it appended it"
        found.add(f"position {position}", what)


def _subjects(rows: StoredRows, found: Findings) -> None:
    """A name that is kept is the one that was committed to."""
    for subject, kind, name, salt, entry in rows.subjects():
        if not is_as_registered(kind, name, salt, entry):
            what = "the name that is kept is not the one that was registered"
            found.add(f"subject {subject}", what)


def _text(stored: bytes | None) -> str:
    return "none" if stored is None else stored.decode(errors="backslashreplace")
