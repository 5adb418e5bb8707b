"""The rows of one view at two instants, in pairs: by their ids, else by names in order of time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import zip_longest
from typing import Any, TypeAlias

from projections.audit.difference import IDS, NAMES

Row: TypeAlias = Mapping[str, Any]
Pair: TypeAlias = "tuple[Row | None, Row | None]"


def pairs(old: Sequence[Row], new: Sequence[Row], key: Sequence[str]) -> Iterator[Pair]:
    """The rows before and after: by their ids, whatever the names; those left over by the names."""
    before, after = _by_identity(old, key), _by_identity(new, key)
    same = before.keys() & after.keys()
    paired = {id(known[each]) for known in (before, after) for each in same}
    for each in same:
        yield before[each], after[each]
    left, added = (
        _grouped((row for row in rows if id(row) not in paired), key) for rows in (old, new)
    )
    for name in left.keys() | added.keys():
        yield from _paired(left.get(name, []), added.get(name, []), key)


def identity(row: Row, key: Sequence[str]) -> tuple[Any, ...]:
    """The key of a row, with an id instead of a name that has one."""
    named = (column for column in key if column not in IDS)
    return tuple(row.get(f"{column}_id") or row[column] for column in named)


def renamed(was: Row | None, is_now: Row | None) -> list[str]:
    """The columns of the names that changed. An id in place of a name does not count."""
    if was is None or is_now is None:
        return []
    return [
        column
        for column in sorted(NAMES & was.keys())
        if was[column] not in (is_now[column], was.get(f"{column}_id"))
    ]


def _by_identity(rows: Iterable[Row], key: Sequence[str]) -> dict[tuple[Any, ...], Row]:
    """The rows that are the only one of their identity."""
    found: dict[tuple[Any, ...], list[Row]] = {}
    for row in rows:
        found.setdefault(identity(row, key), []).append(row)
    return {each: same[0] for each, same in found.items() if len(same) == 1}


def _grouped(rows: Iterable[Row], key: Sequence[str]) -> dict[tuple[str, ...], list[Row]]:
    """The rows by their key without ids: one name may have been several things."""
    found: dict[tuple[str, ...], list[Row]] = {}
    for row in rows:
        named = tuple(row[column] for column in key if column not in IDS)
        found.setdefault(named, []).append(row)
    return found


def _paired(old: Sequence[Row], new: Sequence[Row], key: Sequence[str]) -> Iterator[Pair]:
    """The rows of one name, before and after: by their ids, those left over in order of time."""
    ids = [column for column in key if column in IDS]

    def own_ids(row: Row) -> tuple[Any, ...]:
        return tuple(row[column] for column in ids)

    left = sorted(new, key=_age)
    unpaired = []
    for was in sorted(old, key=_age):
        same = next((row for row in left if own_ids(row) == own_ids(was)), None)
        if same is None:
            unpaired.append(was)
        else:
            left.remove(same)
            yield was, same
    yield from zip_longest(unpaired, left)


def _age(row: Row) -> tuple[str, int]:
    return row.get("since") or "", row.get("position") or 0
