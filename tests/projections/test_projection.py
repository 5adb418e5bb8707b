"""The declaration of a projection: what it may be."""

from __future__ import annotations

import pytest

from projections.projection import Column, Projection

KEY = (Column("region", "…"),)
VALUE, COUNTER = Column("status", "…"), Column("refused", "…", "INTEGER")


@pytest.mark.parametrize(
    ("values", "counters"), [((VALUE,), (COUNTER,)), ((), ())], ids=["both", "neither"]
)
def test_values_and_counters_exclude_each_other(
    values: tuple[Column, ...], counters: tuple[Column, ...]
) -> None:
    """The last change of a key wins, or changes are summed; nothing would be neither."""
    with pytest.raises(TypeError, match="the projection odd has either values or counters"):
        Projection(name="odd", doc="…", key=KEY, select="…", values=values, counters=counters)


def test_either_of_them_is_enough() -> None:
    for kinds in ({"values": (VALUE,)}, {"counters": (COUNTER,)}):
        made = Projection(name="fine", doc="…", key=KEY, select="…", **kinds)
        assert [column.name for column in made.columns] == [
            "region",
            *(column.name for columns in kinds.values() for column in columns),
            "since",
            "position",
        ]
