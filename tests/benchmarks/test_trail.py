"""The benchmark of the audit trail."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

from benchmarks import trail
from benchmarks.course import Course
from projections.definitions.audit_trail import TrailFilter
from projections.views import Views


def test_each_filter_of_the_audit_trail_is_measured(tmp_path: Path) -> None:
    course = Course(tmp_path, events=500, repetitions=1)
    with Views.open(course.big.path, course.catalogue) as views:
        views.catch_up()
        entries = trail._drawn(views, course.random, course.big.last_position)
    wanted = [
        each for filters in trail._filters(entries, course.random).values() for each in filters
    ]
    for field in fields(TrailFilter):
        assert any(getattr(each, field.name) is not None for each in wanted), field.name
