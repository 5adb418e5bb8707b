"""Evidence of folded views: what a row says follows from all facts of its thing."""

from __future__ import annotations

import re
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.account.agency import AgencyCreated, AgencyDeleted
from ledger.account.console import ConsoleLoginRequested
from ledger.account.permissions import PermissionGranted
from ledger.account.policy import PolicyCreated
from ledger.account.project import ProjectCreated
from ledger.application import Ledger
from ledger.as_of import AsOf
from ledger.catalogue import load_catalogue
from ledger.errors import VerificationFailed
from ledger.log.signer import LogSigner
from ledger.messages import DomainEvent
from projections.definitions.declared import FOLDED
from projections.evidence.answering import asked_again
from projections.evidence.check import NOT_OTHERS, check
from projections.evidence.make import Evidence, make
from projections.views import Views
from tests.ledger.worlds import ORIGIN
from tests.postgres import Server
from tests.projections.test_properties import histories, new_world
from tests.projections.worlds import ACCOUNTS, BEGINNING, See, Step, World

CATALOGUE = load_catalogue()
Parts = dict[str, bytes]
FACTS = "SELECT entry FROM events WHERE account = 'a' AND provider = 'aws' ORDER BY position"


@dataclass(slots=True)
class Signed:
    """A ledger with a key, and its views."""

    world: World
    views: Views
    folder: Path
    signer: LogSigner = field(init=False)

    def __post_init__(self) -> None:
        self.signer = LogSigner(self.folder / "keys", ORIGIN)
        self.signer.key.create(self.world.ledger.location)
        self.world.ledger.sign(self.signer)
        self.world.ledger.close()
        keys = self.folder / "keys"
        self.world.ledger = Ledger(self.world.place, clock=self.world.clock, log_keys=keys)

    @property
    def path(self) -> Path:
        return self.folder / "evidence.zip"

    def see(self, *events: DomainEvent) -> None:
        for event in events:
            self.world.take(See(event, self.world.traces + 1))

    def made(self, question: str, *, when: AsOf | None = None, complete: bool = False) -> Evidence:
        self.views.catch_up()
        ledger = self.world.ledger
        return make(ledger, self.views, question, self.path, when=when, complete=complete)

    def checked(self) -> Evidence:
        return check(self.path, [self.signer.key.verifier], CATALOGUE)

    def parts(self) -> Parts:
        with zipfile.ZipFile(self.path) as archive:
            return {name: archive.read(name) for name in archive.namelist()}

    def entries(self) -> list[int]:
        found = (re.fullmatch(r"entries/(\d+)\.json", name) for name in self.parts())
        return sorted(int(match[1]) for match in found if match)

    def rewrite(self, parts: Parts) -> None:
        with zipfile.ZipFile(self.path, "w") as archive:
            for name, data in parts.items():
                archive.writestr(name, data)

    def without(self, position: int) -> None:
        """Leave an entry out, as an author would who wants it to be forgotten."""
        self.rewrite({n: d for n, d in self.parts().items() if f"/{position}." not in n})


@contextmanager
def new_ledger(server: Server | None = None) -> Iterator[Signed]:
    with (
        tempfile.TemporaryDirectory() as folder,
        new_world(server) as world,
        Views.open(world.place, CATALOGUE) as views,
    ):
        yield Signed(world, views, Path(folder))


@pytest.fixture
def ledger() -> Iterator[Signed]:
    with new_ledger() as made:
        yield made


def created(agency: str, until: datetime | None = None) -> AgencyCreated:
    return AgencyCreated(agency=agency, agency_id=f"id-{agency}", expires_at=until)


def granted(agency: str, policy: str = "p") -> PermissionGranted:
    return PermissionGranted(agency=agency, region="r-1", policy=policy)


LOGIN = ConsoleLoginRequested(service="console", region="r-1", outcome="admitted")


def test_evidence_holds_all_facts_of_an_agency_and_of_what_it_uses(ledger: Signed) -> None:
    ledger.see(
        created("a"),
        created("b"),
        PolicyCreated(policy="p", policy_id="P1"),
        ProjectCreated(region="r-1", project_id="q1"),
        granted("a"),
        granted("b", "other"),
        LOGIN,
        LOGIN,
    )
    ledger.made("regions agency=a")
    assert len(ledger.entries()) == 6, "b's grant is in r-1; the last entry tells the time"
    held = ledger.checked()
    assert [row["policy_id"] for row in held.answer.dicts()] == ["P1"]
    assert held.remarks[0] == NOT_OTHERS


def test_facts_of_another_agency_do_not_add_it_to_the_answer(ledger: Signed) -> None:
    """The grant of `b` proves the policy; the deletion of `b`, which ended it, is not needed."""
    ledger.see(PolicyCreated(policy="p"), granted("b"), granted("a"), AgencyDeleted(agency="b"))
    ledger.see(LOGIN)
    ledger.made("regions status=granted")
    last = ledger.world.ledger.history()
    assert len(ledger.entries()) < len(list(last))
    assert [row["agency"] for row in ledger.checked().answer.dicts()] == ["a"]


@pytest.mark.parametrize(("days", "status"), [(50, "expired"), (101, "exists")])
def test_an_expiry_is_judged_by_the_time_at_which_the_position_was_recorded(
    ledger: Signed, days: int, status: str
) -> None:
    """Not by the clock of the program that checks: the ledger's clock began at day 100."""
    ledger.see(created("a", BEGINNING + timedelta(days=days)), LOGIN)
    ledger.made("agencies")
    [row] = ledger.checked().answer.dicts()
    assert row["status"] == status


def test_evidence_without_the_entry_that_tells_the_time_is_refused(ledger: Signed) -> None:
    ledger.see(created("a", BEGINNING + timedelta(days=50)), LOGIN)
    ledger.made("agencies")
    ledger.without(ledger.entries()[-1])
    with pytest.raises(VerificationFailed):
        ledger.checked()


def test_evidence_that_lacks_an_entry_says_that_others_may_change_the_answer(
    ledger: Signed,
) -> None:
    ledger.see(created("a"), granted("a"), AgencyDeleted(agency="a"), LOGIN)
    ledger.made("regions agency=a")
    for position in ledger.entries():
        ledger.made("regions agency=a")
        ledger.without(position)
        try:
            held = ledger.checked()
        except VerificationFailed:
            continue
        assert NOT_OTHERS in held.remarks


def test_evidence_with_an_entry_that_does_not_bear_on_the_answer_is_refused(
    ledger: Signed,
) -> None:
    ledger.see(created("a"), created("b"), LOGIN)
    ledger.made("agencies agency=b")
    more = ledger.parts()
    ledger.made("agencies agency=a")
    ledger.rewrite({**more, **ledger.parts()})
    with pytest.raises(VerificationFailed, match="not those that the answer's rows come from"):
        ledger.checked()


def test_an_answer_is_not_made_empty_by_leaving_its_rows_out(ledger: Signed) -> None:
    ledger.see(created("a"), LOGIN)
    ledger.made("agencies")
    parts = ledger.parts()
    answer = re.sub(rb'"rows":.*\]', b'"rows":[]', parts["answer.json"])
    ledger.rewrite({**parts, "answer.json": answer})
    with pytest.raises(VerificationFailed, match="needs complete evidence"):
        ledger.checked()


def test_an_answer_that_follows_from_many_entries_holds_every_entry(
    ledger: Signed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("projections.evidence.sources.ORIGINS_MAX", 2)
    ledger.see(created("a"), LOGIN)
    assert not ledger.made("agencies").question.complete
    ledger.see(granted("a"), LOGIN)
    made = ledger.made("agencies")
    assert made.question.complete
    assert "follow from more than" in made.notes[0]
    assert ledger.checked().answer.rows == made.answer.rows


def test_the_entries_of_an_account_are_found_by_an_index_when_evidence_is_checked(
    ledger: Signed, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise each account costs a scan of all entries: of 2,000 accounts, a minute."""
    ledger.see(created("a"), LOGIN)
    ledger.made("agencies", complete=True)
    plans: list[str] = []

    def asked(path: Path, *given: Any) -> Any:
        answer = asked_again(path, *given)
        with Views.open(path, load_catalogue()) as views:
            plan = views._store.connection.execute(f"EXPLAIN QUERY PLAN {FACTS}").fetchall()
        plans.extend(row[-1] for row in plan)
        return answer

    monkeypatch.setattr("projections.evidence.check.asked_again", asked)
    ledger.checked()
    assert "SEARCH t USING INDEX trail_by_account" in plans[0]


def check_answers(ledger: Signed, position: int, minute: int | None, view: str) -> None:
    """The evidence of a view and of each of its rows, as known at a position."""
    at = None if minute is None else BEGINNING + timedelta(minutes=minute)
    when = AsOf(position, at)
    rows = ledger.views.read(view, as_of=when).dicts()
    thing = "policy" if view == "policies" else "agency"
    for question in {view, *(f"{view} {thing}='{row[thing]}'" for row in rows)}:
        made = ledger.made(question, when=when)
        held = ledger.checked()
        assert held.answer.rows == made.answer.rows
        assert made.question.complete == (not rows)


def test_evidence_of_a_past_position_holds_no_later_entry(ledger: Signed) -> None:
    ledger.see(created("a"), LOGIN)
    before = ledger.views.catch_up()
    ledger.see(granted("a"), AgencyDeleted(agency="a"))
    ledger.made("agencies", when=AsOf(before))
    assert ledger.entries()[-1] == before
    [row] = ledger.checked().answer.dicts()
    assert row["status"] == "exists"


@settings(max_examples=10, deadline=None)
@given(histories, st.one_of(st.none(), st.integers(0, 300_000)), st.sampled_from(sorted(FOLDED)))
def test_evidence_of_any_history_verifies_at_every_position(
    taken: list[Step], minute: int | None, view: str
) -> None:
    with new_ledger() as ledger:
        reached = set[int]()
        for step in taken:
            ledger.world.take(step)
            ledger.views.catch_up()
            reached.add(ledger.views.reached())
        for position in reached - {0}:
            check_answers(ledger, position, minute, view)


def test_postgresql_makes_the_same_evidence(server: Server) -> None:
    with new_ledger(server) as ledger:
        ledger.see(PolicyCreated(policy="p"), granted("b"), granted("a"), LOGIN)
        ledger.see(AgencyDeleted(agency="b"))
        ledger.made("regions status=granted")
        assert [row["account"] for row in ledger.checked().answer.dicts()] == [ACCOUNTS[0]]
        assert len(ledger.entries()) < ledger.views.reached()
