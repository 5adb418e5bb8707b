"""Checks the side tables: versions, commands, subjects, documents, snapshots; and on request the
indexes.
"""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from functools import lru_cache

from ledger.documents import is_text_of
from ledger.persistence.entry import command_id_of
from ledger.persistence.raw_rows import StoredRows
from ledger.persistence.schema_difference import Difference
from ledger.subjects import is_as_registered
from ledger.verification.digest_check import check_digests
from ledger.verification.findings import FINDINGS_MAX, Findings
from ledger.verification.segment import digest_of
from ledger.verification.snapshot_check import check_snapshots


@dataclass(slots=True)
class TableFindings:
    """The findings in each table, up to the last position that was asked for."""

    versions: Findings = field(default_factory=Findings)
    commands: Findings = field(default_factory=Findings)
    subjects: Findings = field(default_factory=Findings)
    documents: Findings = field(default_factory=Findings)
    snapshots: Findings = field(default_factory=Findings)
    digests_of_facts: Findings = field(default_factory=Findings)
    indexes: Findings = field(default_factory=Findings)
    names_missing: int = 0
    """How many names a copy without names does not have."""
    not_replayed: int = 0
    """How many snapshots another version of the program wrote. It is not a finding."""
    without_text: int = 0
    """How many documents the events refer to whose texts are not kept. It is not a finding."""
    last_commanded: int = 0
    """The last position that a command lists."""
    digests: list[str] = field(default_factory=list)
    """For each segment of positions, the digest of the command ids that it should have."""


def schema_findings(differences: Iterable[Difference]) -> Findings:
    """A finding for each table, view, trigger, index … that is not as this program makes it."""
    found = Findings()
    for each in differences:
        found.add(f"schema, {each.what}", each.how)
    return found


def check_tables(
    rows: StoredRows,
    last: int,
    segment_size: int,
    *,
    indexes: bool = False,
    digests: bool = False,
    without_names: bool = False,
) -> TableFindings:
    """Check the side tables up to position `last`; later appends are not looked at.

    `segment_size`: how many positions each digest covers; 0 for no digests. `indexes`: compare
    the indexes with their tables too, which takes as long as the rest of a verification.
    `digests`: compute the digests of traces again, which takes several times as long.
    `without_names`: names that are missing are counted, and are not findings.
    """
    done = TableFindings()
    _check_versions(rows, last, done.versions)
    _check_commands(rows, last, segment_size, done)
    _check_subjects(rows, done.subjects)
    _check_names_missing(rows, done, without_names=without_names)
    done.not_replayed = check_snapshots(rows, done.snapshots)
    if digests:
        done.digests_of_facts = check_digests(rows, last)
    for fault in rows.index_faults() if indexes else ():
        # A row that is missing in an index is hidden from queries that use the index, and from
        # no others.
        done.indexes.add("indexes", fault)
    return done


def _check_versions(rows: StoredRows, last: int, found: Findings) -> None:
    """Each stream has the versions 1, 2, 3 …"""
    for stream, lowest, highest, count in rows.broken_streams(last):
        what = (
            f"it has versions from {lowest} to {highest}; expected the versions 1 to {count}, each "
            "once"
        )
        found.add(f"stream {_readable(stream)}", what)


class _PositionDigests:
    """Collects the command id of each position, and digests them segment by segment."""

    def __init__(self, segment_size: int, digests: list[str]) -> None:
        self._segment_size, self._digests = segment_size, digests
        self._ids: list[str | None] = []

    def add(self, command_id: str | None, count: int) -> None:
        """The next `count` positions have this command id."""
        while count > 0 and self._segment_size:
            taken = min(count, self._segment_size - len(self._ids))
            self._ids.extend([command_id] * taken)
            count -= taken
            if len(self._ids) == self._segment_size:
                self.finish()

    def add_one(self, command_id: str | None) -> None:
        """The next position has this command id."""
        if self._segment_size:
            self._ids.append(command_id)
            if len(self._ids) == self._segment_size:
                self.finish()

    def finish(self) -> None:
        """End the segment."""
        self._digests.append(digest_of(self._ids))
        self._ids.clear()


def _check_commands(rows: StoredRows, last: int, segment_size: int, done: TableFindings) -> None:
    """Commands list all positions without a gap; collects the command id of each position.

    Sorting the commands once takes a third of the time of looking up each entry's command.
    """
    ids, expected = _PositionDigests(segment_size, done.digests), 1
    add, add_one = ids.add, ids.add_one
    for stored_id, first, until, is_text in rows.commands(last):
        command_id = (
            stored_id.decode(errors="surrogateescape")
            if stored_id is not None and is_text
            else None
        )
        if first == until == expected:  # Most are of one entry.
            add_one(command_id)
            expected += 1
            continue
        if first != expected or type(until) is not int or until < first:
            what = f"it lists the positions {first} to {until}; expected to start at {expected}"
            done.commands.add(f"command {_readable(stored_id)}", what)
        if type(first) is not int or type(until) is not int:
            continue
        add(None, min(first, last + 1) - expected)
        add(command_id, min(until, last) - max(expected, first) + 1)
        expected = max(expected, until + 1)
    done.last_commanded = expected - 1
    ids.finish()
    for stored_id, first, until in rows.stray_commands():
        # Also of those that were appended meanwhile, the positions are there.
        what = f"it lists the positions {first} to {until}, which are not there"
        done.commands.add(f"command {_readable(stored_id)}", what)


def find_unlisted(rows: StoredRows, first: int, last: int, found: Findings) -> None:
    """Add the positions from `first` to `last` that their command does not list."""
    extent_of = lru_cache(1)(rows.extent_of)  # The entries of a command follow one another.
    unlisted = 0
    for position, entry in rows.entries(first, last):
        command_id = command_id_of(entry)
        if command_id is None:
            found.add(f"position {position}", "it names no command")
        elif not _lists(extent_of(command_id), position):
            what = f"its command {command_id} does not list this position"
            found.add(f"position {position}", what)
        else:
            continue
        unlisted += 1
        if unlisted == FINDINGS_MAX:
            return


def _lists(extent: tuple[object, object] | None, position: int) -> bool:
    """Whether a command that is stored with these positions lists one of them."""
    if extent is None:
        return False
    first, last = extent
    return isinstance(first, int) and isinstance(last, int) and first <= position <= last


def _check_subjects(rows: StoredRows, found: Findings) -> None:
    """Each stored name is the one that its registration commits to."""
    for subject, kind, name, salt, entry in rows.subjects():
        if not is_as_registered(subject, kind, name, salt, entry):
            found.add(
                f"subject {subject}", "its stored kind, name and salt do not match its registration"
            )
    for (subject,) in rows.names_erased():
        found.add(f"subject {subject}", "an entry erases its name, but a name is stored")


def _check_names_missing(rows: StoredRows, done: TableFindings, *, without_names: bool) -> None:
    """A name that is missing was erased by an entry, unless the ledger is a copy without names."""
    missing = Findings()
    for (subject,) in rows.names_missing():
        missing.add(
            f"subject {subject}",
            "its name is missing, but no entry erases it (a copy without names is verified with "
            "--without-names)",
        )
    if without_names:
        done.names_missing = missing.count
        return
    done.subjects.extend(missing)


def check_documents(
    rows: StoredRows, referred: AbstractSet[str], erased: AbstractSet[str], done: TableFindings
) -> None:
    """Each stored text has the digest and the size under which it is kept, an event refers to it,
    and it was not erased. `referred` and `erased` are the digests in all entries.
    """
    kept = set()
    for digest, size, text in rows.documents():
        kept.add(digest)
        if not is_text_of(digest, size, text):
            what = "the stored text does not have this digest and the stored size"
        elif digest not in referred:
            what = "a text is stored, but no event refers to it"
        elif digest in erased:
            what = "it was erased, but a text is stored"
        else:
            continue
        done.documents.add(f"document {digest}", what)
    done.without_text = len(referred - kept)


def _readable(stored: bytes | None) -> str:
    return "without an id" if stored is None else stored.decode(errors="backslashreplace")
