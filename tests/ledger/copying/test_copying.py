"""A copy is the same ledger in another place, or the copy is refused."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest

from ledger.application import Actor, Ledger
from ledger.copying.copy import check_are_two, copy
from ledger.errors import (
    CommandIdReused,
    InvalidInput,
    LogForked,
    NotFound,
    Refused,
    StoreLocked,
    StoreUnavailable,
)
from ledger.log.key_folder import LogKey
from ledger.log.signer import LogSigner
from ledger.persistence.as_is import AsIs
from ledger.persistence.location import location_of
from ledger.persistence.numbering import Numbered
from tests.cutting import Cut, way_to
from tests.ledger.copying.copies import (
    DATABASE,
    FILE,
    New,
    all_ways,
    assert_is_copy,
    contents,
    copied,
    filled,
    small_parts,
    there_and_back,
)
from tests.ledger.scenario import BEIJING, NOON, SHANGHAI, agency_created, grant, login
from tests.ledger.worlds import ORIGIN, Clock, Place, consent, seen, sound, traces
from tests.postgres import Server

# -- the same ledger -----------------------------------------------------------------------------


@all_ways
def test_a_copy_has_the_same_bytes_at_the_same_positions_under_the_same_root(
    source: Place, target: Place
) -> None:
    before = contents(source)
    done = copied(source, target)
    assert_is_copy(source, target)
    assert contents(source) == before, "the source is only read"
    size = len(before["events"])
    assert (done.size, done.before, done.later) == (size, 0, 0)
    again = copied(source, target)
    assert (again.size, again.before, again.root) == (size, size, done.root)
    assert_is_copy(source, target)


@there_and_back
def test_a_copy_in_many_parts_is_the_same(source: Place, target: Place) -> None:
    reports = []
    with small_parts(7):
        copied(source, target, on_progress=lambda *report: reports.append(report))
    assert_is_copy(source, target)
    assert len(reports) > 5
    assert reports == sorted(reports)
    assert reports[-1][1] == reports[-1][2]


def test_a_ledger_of_more_than_a_level_of_tiles_is_copied_there_and_back(new: New) -> None:
    first, there, back = new(FILE), new(DATABASE), new(FILE)
    with Ledger(first, clock=Clock()) as ledger:
        ledger.observe(traces(700))
        assert ledger.last_position() > 2 * 256
    with small_parts(100):
        copied(first, there)
        copied(there, back)
    assert_is_copy(first, there)
    assert_is_copy(first, back)


def test_an_empty_ledger_has_an_empty_copy(new: New) -> None:
    one, other = new(FILE), new(DATABASE)
    Ledger(one).close()
    assert copied(one, other).size == 0
    assert contents(other) == contents(one)


def test_a_missing_source_is_not_found_and_no_target_is_made(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        copied(tmp_path / "nothing.db", tmp_path / "new.db")
    assert list(tmp_path.iterdir()) == []


def test_a_ledger_is_not_copied_onto_itself(source: Place) -> None:
    link = Path(source).with_name("link.db")
    link.symlink_to(source)
    for one, other in ((source, source), (source, link)):
        with pytest.raises(InvalidInput, match="both the source and the target"):
            check_are_two(location_of(one), location_of(other))


@all_ways
def test_a_copy_can_be_appended_to(source: Place, target: Place) -> None:
    copied(source, target)
    with Ledger(target, clock=Clock()) as ledger, Ledger(source) as old:
        last = ledger.last_position()
        zoe = Actor("Zoë Müller-Lüdenscheidt")
        first = ledger.execute(login(BEIJING), actor=zoe, command_id="first")
        assert first.repeated
        assert first.entries == old.execute(login(BEIJING), actor=zoe, command_id="first").entries
        with pytest.raises(CommandIdReused, match="by another actor"):
            ledger.execute(login(BEIJING), actor=Actor("other"), command_id="first")
        with pytest.raises(Refused, match="that command was refused"):
            ledger.execute(grant(SHANGHAI), command_id="refused")
        with pytest.raises(CommandIdReused):
            ledger.execute(login(SHANGHAI), actor=zoe, command_id="first")
        assert ledger.observe(traces(60)).entries == 0, "the traces are known"
        assert ledger.last_position() == last
        ledger.execute(login(SHANGHAI), actor=zoe)
        new_entries = list(ledger.history(last + 1))
        assert [entry.type for entry in new_entries] == [
            "ConsoleLoginRequested",
            "AuthorizationRequested",
        ], "she is known by name"
    sound(target)


# -- names ---------------------------------------------------------------------------------------


@there_and_back
def test_subjects_erased_in_the_source_are_erased_in_the_copy(source: Place, target: Place) -> None:
    copied(source, target)
    with Ledger(source, clock=Clock()) as ledger:
        row = ledger.subject("person", "user 2")
        assert row is not None
        ledger.erase(row.subject)
        again = ledger.execute(login("again"), actor=Actor("user 2"))
    assert again.entries[0].type == "SubjectRegistered", "as somebody new"
    with Ledger(source) as one, Ledger(target) as other:
        copy(one, other)
        assert other.names([row.subject]) == {}
        assert other.subject("person", "user 2") is not None
        if isinstance(target, Path):
            kept = b"".join(path.read_bytes() for path in target.parent.glob(f"{target.name}*"))
            assert row.salt.encode() not in kept, "not even in the write-ahead log"
    assert_is_copy(source, target)


@there_and_back
def test_subjects_erased_before_or_during_a_copy_stay_erased_even_if_it_fails(
    source: Place, target: Place
) -> None:
    copied(source, target)
    with Ledger(source, clock=Clock(), lock_timeout_s=1) as ledger:
        subjects = [ledger.subject("person", name) for name in ("user 0", "user 2")]
        before, during = (row.subject for row in subjects if row is not None)
        ledger.erase(before)

        def broken_off(*_: object) -> None:
            raise KeyboardInterrupt

        def erase(*_: object) -> None:
            with suppress(StoreLocked):  # The copy still reads the file's older state.
                ledger.erase(during)

        with pytest.raises(KeyboardInterrupt):
            copied(source, target, on_progress=broken_off)
        with Ledger(target) as other:
            assert other.names([before, during]).keys() == {during}
        consent(ledger, "later")
        copied(source, target, on_progress=erase)
        with Ledger(target) as other:
            assert other.names([before, during]).keys() == {during}, "no entry of it erases that"
        copied(source, target)
    with Ledger(target) as other:
        assert other.names([before, during]) == {}


@there_and_back
def test_subjects_erased_during_the_copy_are_not_restored_by_it(
    source: Place, target: Place
) -> None:
    with Ledger(source, clock=Clock(), lock_timeout_s=1) as ledger, small_parts(20):
        row = ledger.subject("person", "user 2")
        assert row is not None
        gone = row.subject

        def erase(_: str, done: int, total: int) -> None:
            if done == total and ledger.names([gone]):
                with suppress(StoreLocked):  # The copy still reads the file's older state.
                    ledger.erase(gone)

        copied(source, target, on_progress=erase)
    with Ledger(target) as other:
        assert other.names([gone]) == {}
    copied(source, target)
    assert_is_copy(source, target)


@there_and_back
def test_names_can_be_left_out_and_brought_later(source: Place, target: Place) -> None:
    copied(source, target, with_names=False)
    assert contents(target)["subjects"] == []
    assert contents(target)["events"] == contents(source)["events"]
    copied(source, target)
    assert_is_copy(source, target)
    copied(source, target, with_names=False)
    assert_is_copy(source, target)


# -- the checkpoint ------------------------------------------------------------------------------


def signed(place: Place, keys: Path, origin: str = ORIGIN) -> LogKey:
    with Ledger(place, log_keys=keys, clock=Clock()) as ledger:
        signer = LogSigner(keys, origin)
        signer.key.create(ledger.location)
        ledger.sign(signer)
        consent(ledger, "signed")
    return signer.key


@there_and_back
def test_the_checkpoint_goes_along_as_it_is_and_the_log_goes_on_in_one_place(
    source: Place, target: Place, keys: Path
) -> None:
    key = signed(source, keys)
    with Ledger(source) as unsigned:
        consent(unsigned, "without-a-key")
    recorded = key.last()
    with Ledger(source, log_keys=keys) as one, Ledger(target, log_keys=keys) as other:
        copy(one, other)
        assert key.last() == recorded, "nothing was signed for the copy"
        consent(one, "later")
        recorded = key.last()
        with Ledger(source) as unsigned:
            consent(unsigned, "after-the-checkpoint")
        copy(one, other)
    assert_is_copy(source, target)
    assert contents(target)["checkpoint"]
    assert key.last() == recorded, "nor for the second, whose target has a checkpoint already"
    with Ledger(target, log_keys=keys) as moved:
        consent(moved, "in-the-new-place")
        assert moved.entries.checkpoint() is not None
    with Ledger(source, log_keys=keys) as left, pytest.raises(LogForked):
        consent(left, "in-the-old-place")


def test_the_checkpoint_of_a_log_of_its_own_stays(source: Place, target: Place, keys: Path) -> None:
    signed(source, keys)
    copied(source, target)
    with Ledger(target, log_keys=keys) as other:
        signer = LogSigner(keys, "example.com/mirror")
        signer.key.create(other.location)
        own = other.sign(signer)
    with Ledger(source, log_keys=keys) as one:
        consent(one, "later")
    copied(source, target)
    assert contents(target)["checkpoint"] == [(own,)]
    assert contents(target)["events"] == contents(source)["events"]


# -- what a database cannot store, and what goes wrong --------------------------------------------


def test_a_name_that_postgresql_cannot_store_is_an_error_with_its_subject(new: New) -> None:
    one, there, here = new(FILE), new(DATABASE), new(FILE)
    with Ledger(one, clock=Clock()) as ledger:
        ledger.observe([seen("trace", agency_created(), at=NOON, actor="no\0body")])
        row = ledger.subject("person", "no\0body")
        assert row is not None
    with pytest.raises(StoreUnavailable, match=f"subject {row.subject}: .* NUL") as raised:
        copied(one, there)
    assert "no\0body" not in str(raised.value)
    copied(one, there, with_names=False)
    assert contents(there)["events"] == contents(one)["events"]
    copied(one, here)
    assert_is_copy(one, here)


def test_an_entry_that_postgresql_cannot_store_is_an_error_with_its_position(new: New) -> None:
    row = Numbered(1, "s", 1, "AgencyCreated.v1", rb'{"agency":"no\u0000body"}')
    with Ledger(new(DATABASE)) as ledger:
        with pytest.raises(StoreUnavailable, match=r"position 1: .* NUL"):
            ledger.entries.append_as_is(AsIs(0, [row]))
        assert ledger.last_position() == 0
        ledger.entries.append_as_is(AsIs(0, [row._replace(state=rb'{"agency":"no\\u0000body"}')]))
        assert ledger.last_position() == 1, "a backslash is not the character"


@pytest.mark.parametrize("cut", ["before", "after"])
def test_a_part_is_appended_once_if_the_connection_is_lost_at_commit(
    source: Place, server: Server, new: New, cut: Cut
) -> None:
    target = str(new(DATABASE))
    database = target.partition("@/")[2].partition("?")[0]
    with way_to(server.port) as way, small_parts(20):
        url = server.network_url(database).replace(f":{server.port}/", f":{way.port}/")
        cuts = 0

        def cut_the_next(_: str, done: int, total: int) -> None:
            nonlocal cuts
            if done < total - 20:
                way.cut_at_commit = cut
                cuts += 1

        copied(source, url, on_progress=cut_the_next)
        assert way.connections > cuts > 1
        assert not way.is_to_cut
    assert_is_copy(source, target)


def test_a_copy_continues_after_its_source_was_unreachable(server: Server, new: New) -> None:
    source, target = str(new(DATABASE)), new(FILE)
    filled(source)
    database = source.partition("@/")[2].partition("?")[0]
    with way_to(server.port) as way, small_parts(20):
        url = server.network_url(database).replace(f":{server.port}/", f":{way.port}/")

        def cut(_: str, done: int, __: int) -> None:
            if done >= 40:
                way.cut()

        with pytest.raises(StoreUnavailable, match=f"The ledger .*{way.port}.* cannot be reached"):
            copied(url, target, on_progress=cut)
    reached = len(contents(target)["events"])
    sound(target)
    assert copied(source, target).before == reached >= 40
    assert_is_copy(source, target)
