"""A page of the trail in sentences."""

from __future__ import annotations

import pytest

from ledger.account.console import ConsoleLoginRequested
from ledger.messages import Observation, Provenance, Recorded
from ledger.persistence.side_tables import SideRows
from projections.audit.trail import recorded, sentences
from projections.definitions.audit_trail import TrailFilter
from projections.views import Views
from tests.projections.conftest import ACCOUNT
from tests.projections.worlds import BEGINNING, World


def said(views: Views, event: str) -> list[str]:
    views.catch_up()
    page = views.trail(TrailFilter(event=event), newest_first=False)
    return sentences(views, page.dicts())


def seen(world: World, name: str, address: str) -> None:
    world.ledger.observe(
        [
            Observation(
                provider="huaweicloud",
                account=ACCOUNT,
                events=(
                    ConsoleLoginRequested(service="asm", region="cn-north-4", outcome="admitted"),
                ),
                effective_at=BEGINNING,
                source=Provenance(trace_id=f"login of {name}"),
                actor=name,
                address=address,
            )
        ]
    )


def test_a_registration_names_who_is_registered_whoever_else_is_on_the_page(world: World) -> None:
    """Nobody on this page acts: all of its names are those of the ones who are registered."""
    seen(world, "bob", "192.0.2.1")
    with Views.open(world.place, world.ledger.catalogue) as views:
        names = [text.split(" is registered as ")[0] for text in said(views, "SubjectRegistered")]
    assert {"alice", "mallory", "bob", "192.0.2.1"} <= set(names)
    assert not [name for name in names if "not kept" in name]


def test_only_a_name_that_was_erased_is_called_not_kept(world: World) -> None:
    with Views.open(world.place, world.ledger.catalogue) as views:
        views.catch_up()
        (alice,) = (row["subject"] for row in views.subjects().dicts() if row["name"] == "alice")
        world.ledger.erase(alice)
        texts = said(views, "SubjectRegistered")
    assert f"a person whose name is not kept here is registered as {alice}" in texts
    assert len([text for text in texts if "not kept" in text]) == 1


def test_the_trail_names_the_file_of_a_trace_until_its_name_is_erased(world: World) -> None:
    login = Observation(
        provider="huaweicloud",
        account=ACCOUNT,
        events=(ConsoleLoginRequested(service="asm", region="cn-north-4", outcome="admitted"),),
        effective_at=BEGINNING,
        source=Provenance(trace_id="t", file="export for alice.json"),
    )
    world.ledger.observe([login])
    row = world.ledger.subject("file", "export for alice.json")
    assert row is not None
    assert _file_of_the_last_entry(world) == "export for alice.json"
    world.ledger.erase(row.subject)
    assert _file_of_the_last_entry(world, "ConsoleLoginRequested") == row.subject


def test_an_entry_of_before_still_has_the_name_of_its_file(world: World) -> None:
    """Its bytes never change, so the name is in it."""
    source = Provenance(trace_id="t", file="old.json")
    login = ConsoleLoginRequested(service="asm", region="cn-north-4", outcome="admitted")
    stream = f"console:huaweicloud:{ACCOUNT}:asm"
    entry = Recorded(
        stream=stream,
        version=world.ledger.entries.max_versions([stream])[stream] + 1,
        event=login,
        recorded_at=BEGINNING,
        effective_at=BEGINNING,
        origin="observed",
        actor_established="trace",
        source=source,
        provider="huaweicloud",
        account=ACCOUNT,
    )
    world.ledger.entries.append(
        [world.ledger.mapper.to_stored_event(entry)],
        SideRows(),
    )
    assert _file_of_the_last_entry(world) == "old.json"


def _file_of_the_last_entry(world: World, event: str | None = None) -> str | None:
    with Views.open(world.place, world.ledger.catalogue) as views:
        views.catch_up()
        [row] = views.trail(TrailFilter(event=event), limit=1).dicts()
        file = row["source_file"]
        assert file is None or isinstance(file, str)
        return file


def test_a_row_of_the_trail_is_the_entry(world: World) -> None:
    with Views.open(world.place, world.ledger.catalogue) as views:
        views.catch_up()
        page = views.trail(TrailFilter(), limit=1_000, newest_first=False)
        assert [recorded(row) for row in page.dicts()] == list(world.ledger.history())


@pytest.mark.parametrize("at_once", [1, 2, 500])
def test_entries_are_found_by_their_positions(
    views: Views, at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("projections.trail.PARAMETERS_MAX", at_once)
    found = views.trail_at([2, 5, 7, 9_999])
    assert [row["position"] for row in found.dicts()] == [2, 5, 7]
    assert views.trail_at([]).rows == []
