"""The reference is generated from the current code, and the views have the documented columns."""

from __future__ import annotations

from pathlib import Path

import pytest

from ledger.application import Ledger
from ledger.catalogue import load_catalogue
from projections.definitions.declared import PROJECTIONS
from projections.projection import FoldedProjection, Projection
from projections.views import Views
from tests.documentation.reference import FOLDER, pages


@pytest.mark.parametrize("name", ["cli.md", "events.md", "views.md", "python.md"])
def test_the_reference_agrees_with_the_code(name: str) -> None:
    written = (FOLDER / name).read_text(encoding="utf-8")
    assert written == pages()[name], f"docs/reference/{name} is outdated; run `make docs`"


def test_every_view_has_the_documented_columns_and_types(tmp_path: Path) -> None:
    Ledger(tmp_path / "ledger.db").close()
    with Views.open(tmp_path / "ledger.db", load_catalogue()) as views:
        views.catch_up()
        for name in (*views.names(), "audit_trail"):
            documented = views.columns(name)
            assert views.query(f"SELECT * FROM {name}").columns == tuple(
                column.name for column in documented
            )
        for name, projection in PROJECTIONS.items():
            connection = views._store.connection
            kept = {
                row[1]: row[2]
                for row in connection.execute(f"PRAGMA table_info({name}_1)").fetchall()
            }
            for column in (*projection.key, *projection.values, *projection.counters):
                assert kept[column.name] == column.type, (name, column.name)
            frame = {"from_position", "until_position"}
            assert (frame | _TIMES[type(projection)]) <= kept.keys()


_TIMES = {Projection: {"effective_at"}, FoldedProjection: {"valid_from", "until_at"}}


def test_every_column_and_view_is_described_in_a_sentence() -> None:
    for name in (*Views.names(), "audit_trail"):
        for column in Views.columns(name):
            assert column.doc.endswith((".", "…")), (name, column.name)
