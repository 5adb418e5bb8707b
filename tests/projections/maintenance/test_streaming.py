"""More changes than fit are streamed from the database, some at a time."""

from __future__ import annotations

from unittest.mock import patch

import pytest

from projections.maintenance import intervals as interval_writer
from projections.views import Views
from tests.projections.maintenance.test_runner import begin_again, intervals


@pytest.mark.parametrize("at_once", [1, 3, 7])
def test_changes_that_are_streamed_give_the_rows_of_those_that_are_not(
    views: Views, monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    expected = intervals(views)
    monkeypatch.setattr(interval_writer, "CHUNK", at_once)
    begin_again(views._store)
    connection = views._store.connection
    with patch.object(connection, "streamed", wraps=connection.streamed) as streamed:
        views.catch_up()
    assert streamed.called
    assert intervals(views) == expected


def test_few_changes_are_not_streamed(views: Views) -> None:
    """A server-side cursor would take three round trips."""
    begin_again(views._store)
    connection = views._store.connection
    with patch.object(connection, "streamed", wraps=connection.streamed) as streamed:
        views.catch_up()
    assert not streamed.called
