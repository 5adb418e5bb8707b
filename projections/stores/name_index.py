"""An index of names and ids, so that a question by either finds the entries that have the other.

An entry has the name of an agency, a policy or a project, or its id, or both. The entries with both
say what belongs together:

    known_names  handle `crane`    name `crane`  id `a1c3`   and the same with the handle `#a1c3`
    entries_by_id  id `a1c3`         position of an entry that has the id, and not the name

The same table has the ids and names of accounts, as kind `account` of no account. A handle is a
name as the cloud compares it, or `#ID`. Where a cloud ignores case, each spelling of
a name has rows as well, with or without an id.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final, NamedTuple, Protocol

from ledger.events import EVENTS
from ledger.folding import rules_of
from ledger.values import ALL_REGIONS
from projections.dialect import Dialect

KINDS: Final = {"agency": "agency_id", "policy": "policy_id", "region": "project_id"}
"""By the column of a name, the field of the id: a project's name is in the column `region`."""
_ACCOUNTS: Final = {"account_name": "account", "trusted_account_name": "trusted_account_id"}
"""By the field with an account's name, the column or the field with its id."""
_IGNORE_CASE: Final = ("aws",)
"""The providers whose names do not differ by case alone."""
_NAMES: Final = "known_names"
_COLUMNS: Final = ("kind", "handle", "provider", "account", "name", "id")


class Statements(Protocol):
    """The statements that the index needs of a connection to the views."""

    dialect: Dialect

    def execute(self, statement: str, params: Sequence[Any] = ()) -> Any: ...
    def execute_many(self, statement: str, rows: Iterable[Sequence[Any]]) -> None: ...


class Way(NamedTuple):
    """A way in which entries name what is asked for: by that name, and under further conditions.

    `is_of_positions`: the conditions list the positions, so no other index is of use.
    """

    name: str | None
    wheres: tuple[str, ...] = ()
    params: tuple[object, ...] = ()
    is_of_positions: bool = False


# -- writing --------------------------------------------------------------------------------------


def tables(dialect: Dialect) -> tuple[str, ...]:
    """The index's tables. `until` is the last position that is indexed."""
    text, number = "TEXT NOT NULL", "INTEGER NOT NULL"
    by_id = ("kind", "id", "provider", "account")
    return (
        dialect.table(_NAMES, [(column, text) for column in _COLUMNS], _COLUMNS),
        dialect.table(
            "entries_by_id",
            [*((column, text) for column in by_id), ("position", number)],
            (*by_id, "position"),
        ),
        dialect.table("names_indexed", [("until", number)], ["until"]),
    )


def clear(connection: Statements) -> None:
    """Empty the index: the history is another one."""
    for table in (_NAMES, "entries_by_id", "names_indexed"):
        connection.execute(f"DELETE FROM {table}")


def extend(connection: Statements, last: int) -> None:
    """Index the events up to a position that are not indexed yet. Within a transaction only."""
    [until] = connection.execute("SELECT COALESCE(max(until), 0) FROM names_indexed").fetchone()
    if until >= last:
        return
    for kind in KINDS:
        _add_positions(connection, kind, until, last)
        _add_names(connection, kind, until, last)
    for name in _ACCOUNTS:
        _add_accounts(connection, name, until, last)
    statement = (
        "UPDATE names_indexed SET until = ?" if until else "INSERT INTO names_indexed VALUES (?)"
    )
    connection.execute(statement, (last,))


def _add_positions(connection: Statements, kind: str, after: int, last: int) -> None:
    identity = _id_of(connection, kind)
    connection.execute(
        f"INSERT INTO entries_by_id SELECT '{kind}', {identity}, provider, account, position "
        f"FROM events WHERE position > ? AND position <= ? AND type IN ({_types(kind)}) "
        f"AND {kind} IS NULL AND {identity} IS NOT NULL",
        (after, last),
    )


def _add_names(connection: Statements, kind: str, after: int, last: int) -> None:
    identity = _id_of(connection, kind)
    found = connection.execute(
        f"SELECT DISTINCT provider, account, {kind}, COALESCE({identity}, '') FROM events "
        f"WHERE position > ? AND position <= ? AND type IN ({_types(kind)}) "
        f"AND {kind} IS NOT NULL AND ({identity} IS NOT NULL OR provider IN ({_providers()}))",
        (after, last),
    ).fetchall()
    connection.execute_many(
        f"INSERT INTO {_NAMES} VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
        (row for each in found for row in _rows(kind, *each)),
    )


def _add_accounts(connection: Statements, name: str, after: int, last: int) -> None:
    member, identity = connection.dialect.member, _ACCOUNTS[name]
    called = member.format("entry", name)
    if identity != "account":
        identity = member.format("entry", identity)
    types = ", ".join(f"'{each.__name__}'" for each in EVENTS if name in each.model_fields)
    found = connection.execute(
        f"SELECT DISTINCT provider, {called}, {identity} FROM events "
        f"WHERE position > ? AND position <= ? AND type IN ({types}) "
        f"AND {called} IS NOT NULL AND {identity} IS NOT NULL",
        (after, last),
    ).fetchall()
    connection.execute_many(
        f"INSERT INTO {_NAMES} VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
        (
            ("account", handle, provider, "", word, account_id)
            for provider, word, account_id in found
            for handle in (word, f"#{account_id}")
        ),
    )


def _rows(
    kind: str, provider: str, account: str, name: str, identity: str
) -> Iterator[tuple[str, ...]]:
    yield kind, rules_of(provider).slot(name), provider, account, name, identity
    if identity:
        yield kind, f"#{identity}", provider, account, name, identity


def _id_of(connection: Statements, kind: str) -> str:
    return connection.dialect.member.format("entry", KINDS[kind])


def _types(kind: str) -> str:
    """The events that may have the id."""
    found = sorted(each.__name__ for each in EVENTS if KINDS[kind] in each.model_fields)
    return ", ".join(f"'{name}'" for name in found)


def _providers() -> str:
    return ", ".join(f"'{provider}'" for provider in _IGNORE_CASE)


# -- reading --------------------------------------------------------------------------------------


def is_known(connection: Statements, kind: str, word: str) -> bool:
    """Whether an entry has the word as a name in another spelling, or as an id."""
    if kind not in KINDS:
        return False
    return any(
        connection.execute(statement, (kind, handle)).fetchone()
        for statement, handle in (
            (
                f"SELECT 1 FROM {_NAMES} WHERE kind = ? AND handle = ?{_ignoring_case()}",
                _fold(word),
            ),
            (f"SELECT 1 FROM {_NAMES} WHERE kind = ? AND handle = ?", f"#{word}"),
            ("SELECT 1 FROM entries_by_id WHERE kind = ? AND id = ?", word),
        )
    )


def ways(connection: Statements, kind: str, word: str, account: str | None = None) -> list[Way]:
    """All ways in which entries name the agency, policy or region that has a name or an id.

    If only entries of one account are wanted, that keeps the ways of others out, which costs less.

    The entries of all regions (`*`) name each region, too. Entries that the index has not
    reached are found by the word alone.
    """
    found = [Way(word)]
    if kind == "region" and word == ALL_REGIONS:
        return found
    if kind == "region":
        found.append(Way(ALL_REGIONS))
    found += _other_spellings(connection, kind, word)
    found += _names_of_id(connection, kind, word)
    return [*found, _by_id(kind, word, account)]


def names_of(
    connection: Statements, kind: str, provider: str, account: str, identity: str
) -> list[str]:
    """The names that entries have beside an id."""
    rows = connection.execute(
        f"SELECT name FROM {_NAMES} WHERE kind = ? AND handle = ? AND provider = ? AND account = ? "
        "ORDER BY name",
        (kind, f"#{identity}", provider, account),
    )
    return [name for (name,) in rows]


def same_accounts(connection: Statements, word: str | None) -> list[tuple[str, str]]:
    """The other words for an account, its id or a name, each with the provider.

    A name that was beside several ids does not count: it is not known which it means.
    """
    if word is None:
        return []
    ids_of, names_of_id = (
        f"SELECT DISTINCT provider, {column} FROM {_NAMES} WHERE kind = 'account' AND handle = ?"
        for column in ("id", "name")
    )
    found = connection.execute(ids_of, (word,)).fetchall()
    providers = [provider for provider, _ in found]
    ids = [each for each in found if providers.count(each[0]) == 1]
    names = connection.execute(names_of_id, (f"#{word}",)).fetchall()
    for provider, name in names:
        same = connection.execute(ids_of, (name,)).fetchall()
        if sum(each == provider for each, _ in same) == 1:
            ids.append((provider, name))
    return sorted({(provider, other) for provider, other in ids if other != word})


def called(connection: Statements, kind: str, identity: str | None) -> list[str]:
    """The names that entries of all accounts have beside an id."""
    if identity is None:
        return []
    rows = connection.execute(
        f"SELECT DISTINCT name FROM {_NAMES} WHERE kind = ? AND handle = ? ORDER BY name",
        (kind, f"#{identity}"),
    )
    return [name for (name,) in rows]


def all_of(chosen: Sequence[Way]) -> Way:
    """The conditions of several ways at once."""
    return Way(
        None,
        tuple(where for way in chosen for where in way.wheres),
        tuple(param for way in chosen for param in way.params),
        any(way.is_of_positions for way in chosen),
    )


def _other_spellings(connection: Statements, kind: str, word: str) -> list[Way]:
    rows = connection.execute(
        f"SELECT DISTINCT provider, name FROM {_NAMES} "
        f"WHERE kind = ? AND handle = ?{_ignoring_case()} AND name <> ? ORDER BY provider, name",
        (kind, _fold(word), word),
    ).fetchall()
    of_provider = connection.dialect.without_index.format("provider") + " = ?"
    return [Way(name, (of_provider,), (provider,)) for provider, name in rows]


def _names_of_id(connection: Statements, kind: str, word: str) -> list[Way]:
    """By the names that the thing of an id had, unless the entry has another id beside it."""
    own = connection.execute(
        f"SELECT DISTINCT provider, account, name FROM {_NAMES} WHERE kind = ? AND handle = ?",
        (kind, f"#{word}"),
    ).fetchall()
    found = {
        (provider, account, name): None
        for provider, account, called in own
        for name in _spellings(connection, kind, provider, account, called)
        if name != word
    }
    identity = _id_of(connection, kind)
    columns = (connection.dialect.without_index.format(each) for each in ("provider", "account"))
    wheres = (*(f"{each} = ?" for each in columns), f"({identity} IS NULL OR {identity} = ?)")
    return [Way(name, wheres, (provider, account, word)) for provider, account, name in found]


def _spellings(
    connection: Statements, kind: str, provider: str, account: str, name: str
) -> list[str]:
    """How entries of an account spell a name."""
    rows = connection.execute(
        f"SELECT DISTINCT name FROM {_NAMES} "
        "WHERE kind = ? AND handle = ? AND provider = ? AND account = ? ORDER BY name",
        (kind, rules_of(provider).slot(name), provider, account),
    )
    return [spelling for (spelling,) in rows]


def _by_id(kind: str, word: str, account: str | None) -> Way:
    """By the id alone: it is the word, or other entries have it beside that name."""
    of_name = (
        f"SELECT t.position FROM {_NAMES} n JOIN entries_by_id t ON t.kind = n.kind AND t.id = n.id "
        "AND t.provider = n.provider AND t.account = n.account WHERE n.kind = ? AND n.handle = ?"
    ) + ("" if account is None else " AND n.account = ?")
    of_id = "SELECT position FROM entries_by_id WHERE kind = ? AND id = ?"
    within = () if account is None else (account,)
    of_any = f"{of_id} UNION ALL {of_name} UNION ALL {of_name}{_ignoring_case('n.')}"
    params = (kind, word, kind, word, *within, kind, _fold(word), *within)
    return Way(None, (f"position IN ({of_any})",), params, is_of_positions=True)


def _fold(word: str) -> str:
    return rules_of(_IGNORE_CASE[0]).slot(word)


def _ignoring_case(prefix: str = "") -> str:
    return f" AND {prefix}provider IN ({_providers()})"
