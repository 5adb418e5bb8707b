"""A change of the cloud's own recording switches it on or off."""

from __future__ import annotations

import pytest

from ledger.account.witness import RecordingChanged, Switch, switches


@pytest.mark.parametrize(
    ("provider", "is_on"), [("aws", []), ("huaweicloud", [True]), ("another", [True])]
)
def test_a_recorder_that_is_created_at_aws_does_not_record_yet(
    provider: str, is_on: list[bool]
) -> None:
    created = RecordingChanged(recorder="main", change="created")
    assert [each.is_on for each in switches(created, provider)] == is_on


def test_selectors_of_which_several_are_stated_let_changes_through() -> None:
    detail = "isMultiRegionTrail=true, management events: All and ReadOnly, insights: none"
    changed = RecordingChanged(recorder="main", change="changed", detail=detail)
    assert list(switches(changed, "aws")) == [Switch("events", is_on=True)]
    empty = changed.model_copy(update={"detail": "management events: none, insights: none"})
    assert list(switches(empty, "aws")) == [Switch("events", is_on=False)]
