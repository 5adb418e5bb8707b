"""Copying while other processes write, and to targets that hold something else."""

from __future__ import annotations

import pytest

from ledger.application import Actor, Ledger
from ledger.errors import Conflict
from ledger.persistence.as_is import AsIs
from ledger.persistence.numbering import Numbered
from ledger.verification.entries import verify_entries
from tests.ledger.copying.copies import (
    assert_is_copy,
    contents,
    copied,
    small_parts,
    there_and_back,
)
from tests.ledger.scenario import SHANGHAI, login
from tests.ledger.worlds import Clock, Place, consent, raw, sound, traces

# -- while others write --------------------------------------------------------------------------


@there_and_back
def test_entries_appended_to_the_source_meanwhile_are_counted_and_added_by_the_next_copy(
    source: Place, target: Place
) -> None:
    size = len(contents(source)["events"])
    with Ledger(source, clock=Clock()) as writer, small_parts(20):

        def append(_: str, done: int, total: int) -> None:
            assert total == size
            writer.execute(login(f"region-{done}"), actor=Actor(f"newcomer {done}"))

        done = copied(source, target, on_progress=append)
    assert (done.size, len(contents(target)["events"])) == (size, size)
    assert done.later == len(contents(source)["events"]) - size > 0
    sound(target)
    assert verify_entries(target).findings == [], "no name of a later entry was copied"
    again = copied(source, target)
    assert (again.before, again.size, again.later) == (size, size + done.later, 0)
    assert_is_copy(source, target)


@there_and_back
def test_a_copy_ends_when_another_process_appends_to_the_target(
    source: Place, target: Place
) -> None:
    with Ledger(target, clock=Clock()) as writer, small_parts(20):

        def interfere(_: str, done: int, __: int) -> None:
            if done >= 40:
                consent(writer, SHANGHAI)

        with pytest.raises(
            Conflict,
            match="Another writer appended to the target during the copy: its last position is",
        ):
            copied(source, target, on_progress=interfere)
    sound(target)
    with pytest.raises(Conflict, match=r"position \d+ is the first that differs"):
        copied(source, target)


def test_an_append_to_the_target_after_its_last_entry_is_noticed_too(
    source: Place, target: Place
) -> None:
    size = len(contents(source)["events"])
    with Ledger(target, clock=Clock()) as writer:

        def interfere(_: str, done: int, total: int) -> None:
            if done == total:
                consent(writer, SHANGHAI)

        with pytest.raises(Conflict, match=f"not {size}"):
            copied(source, target, on_progress=interfere)
    kinds = {kind for _, kind, *_ in contents(target)["subjects"]}
    assert kinds == {"runner"}, "that of the process which appended to the target"


def test_a_part_that_is_appended_already_is_distinguished_from_another_of_the_same_length(
    database: str,
) -> None:
    one, other = (
        AsIs(0, [Numbered(1, "s", 1, "AgencyCreated.v1", entry)])
        for entry in (b'{"agency":"one"}', b'{"agency":"other"}')
    )
    with Ledger(database) as ledger:
        ledger.entries.append_as_is(one)
        ledger.entries.append_as_is(one)
        with pytest.raises(Conflict, match="its last position is 1, not 0"):
            ledger.entries.append_as_is(other)
        assert ledger.entry_text(1) == '{"agency":"one"}'
        assert ledger.last_position() == 1


# -- targets that hold something else -----------------------------------------------------------


@there_and_back
def test_a_target_with_another_history_is_refused_with_the_first_position_that_differs(
    source: Place, target: Place
) -> None:
    copied(source, target)
    common = len(contents(source)["events"])
    with Ledger(source, clock=Clock()) as one, Ledger(target, clock=Clock()) as other:
        consent(one, "one")
        consent(other, "other")
        other.observe(traces(400))
    before = contents(target)
    with pytest.raises(Conflict, match=f"position {common + 1} is the first that differs"):
        copied(source, target)
    with pytest.raises(Conflict, match=f"position {common + 1} is the first that differs"):
        copied(target, source)
    assert contents(target) == before


def test_a_target_with_later_entries_is_refused_as_the_newer_one(
    source: Place, target: Place
) -> None:
    size = copied(source, target).size
    with Ledger(target, clock=Clock()) as ledger:
        consent(ledger, SHANGHAI)
    before = contents(target)
    with pytest.raises(Conflict, match=f"has all {size} entries .* and later ones up to position"):
        copied(source, target)
    assert contents(target) == before


def test_a_target_whose_commands_contradict_the_copy_is_refused(
    source: Place, target: Place
) -> None:
    Ledger(target).close()
    with raw(target) as db:
        db.execute("INSERT INTO commands VALUES ('first', NULL, 7, 7)")
    with pytest.raises(Conflict, match="cannot take the entries after position 0"):
        copied(source, target)
    assert contents(target)["events"] == []
