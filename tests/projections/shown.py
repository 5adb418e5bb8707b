"""All that the views show, for comparison."""

from __future__ import annotations

from projections.views import Views


def all_rows(views: Views) -> dict[str, list[tuple[object, ...]]]:
    return {name: views.read(name).rows for name in views.names()}
