"""How SQL is spelt where the databases differ; everything else is one text for all of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Dialect:
    """What one database calls things. Texts are compared by their bytes everywhere.

    `joined` is an aggregate of texts, comma-separated, in their order; `member` a text inside an
    entry; `unsearched` a column that shall be looked at and not searched for; `kept` stands behind
    a table whose rows lie in the order of its key.
    """

    text: str
    integer: str
    kept: str
    joined: str
    member: str
    unsearched: str

    def table(
        self,
        name: str,
        columns: Iterable[tuple[str, str]],
        key: Sequence[str],
        *,
        temporary: bool = False,
    ) -> str:
        """A CREATE TABLE; each column is a name and `TEXT` or `INTEGER`, with what follows it."""
        spelt = {"TEXT": self.text, "INTEGER": self.integer}
        lines = []
        for column, type_ in columns:
            kind, _, rest = type_.partition(" ")
            lines.append(f"{column} {spelt[kind]} {rest}".rstrip())
        lines.append(f"PRIMARY KEY ({', '.join(key)})")
        what = "CREATE TEMP TABLE" if temporary else "CREATE TABLE"
        return f"{what} {name} ({', '.join(lines)}){self.kept}"


SQLITE: Final = Dialect(
    text="TEXT",
    integer="INTEGER",
    kept=" STRICT, WITHOUT ROWID",
    # The rows come sorted already; SQLite learned to sort within an aggregate only in 3.44.
    joined="group_concat({0}, ',')",
    member="{0} ->> '{1}'",
    unsearched="+{0}",
)
POSTGRES: Final = Dialect(
    text='TEXT COLLATE "C"',
    integer="BIGINT",
    kept="",
    joined="string_agg({0}, ',' ORDER BY {0})",
    member="({0}::json ->> '{1}')",
    unsearched="{0}",  # It knows which values are rare, and chooses by itself.
)
