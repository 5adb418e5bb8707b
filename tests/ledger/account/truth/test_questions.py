"""Questions that cells answer: by each name that a thing had, or by its id."""

from __future__ import annotations

from collections.abc import Iterable

from ledger.account.truth.cells import Cells
from ledger.account.truth.derive import derive
from ledger.account.truth.rules import AWS, HUAWEICLOUD
from ledger.account.truth.spans import Span
from tests.ledger.account.truth.commits import Shown, apply, policy, shown
from tests.ledger.account.truth.histories import fact, numbered

ASKED = numbered(
    [
        policy("created", 0, id="P1", name="wide"),
        policy("renamed", 6, id="P1", name="narrow"),
        fact("C", 0, id="X1", name="ci"),
        fact("A", 2, name="ci", policy="wide"),
        fact("A", 3, name="other", policy=None, policy_id="P1"),
        fact("A", 4, name="other", policy="read"),
        fact("D", 7, id="X1", name=None),
        fact("C", 8, id="X2", name="ci"),
    ]
)


def stated(spans: Iterable[Span]) -> set[tuple[str | None, ...]]:
    return {(span.subject, span.thing, span.policy) for span in spans}


def test_an_agency_is_asked_by_each_name_that_it_had_or_by_its_id() -> None:
    cells = Cells(HUAWEICLOUD)
    cells.learn(ASKED)
    assert stated(cells.of_agency("ci")) == {
        ("agency", "X1", None),
        ("agency", "X2", None),
        ("permission", "X1", "wide"),
        ("permission", "X1", "narrow"),
    }
    assert stated(cells.of_agency("X1")) == {
        ("agency", "X1", None),
        ("permission", "X1", "wide"),
        ("permission", "X1", "narrow"),
    }
    assert cells.of_agency("nobody") == []


def test_a_policy_is_asked_by_each_name_that_it_had_or_by_its_id() -> None:
    cells = Cells(HUAWEICLOUD)
    cells.learn(ASKED)
    for name in ("wide", "narrow", "P1"):
        assert stated(cells.of_policy(name)) == {("policy", "P1", None)}
        agencies = {span.name for span in cells.under_policy(name)}
        assert agencies == {"ci", "other"}
    assert cells.of_policy("read") == []
    assert {span.name for span in cells.under_policy("read")} == {"other"}
    assert cells.under_policy("nothing") == []


def test_questions_between_two_reports_change_neither() -> None:
    cells, view = Cells(HUAWEICLOUD), Shown()
    for one in ASKED:
        cells.learn([one])
        cells.of_agency("ci")
        if one.position in (4, 6, 7):
            apply(cells, view)
    apply(cells, view)
    assert view == shown(derive(ASKED, HUAWEICLOUD))


def test_policies_that_had_one_name_after_another_stay_separate() -> None:
    cells = Cells(AWS)
    cells.learn(
        numbered(
            [
                policy("created", 0, id="P1", name="wide"),
                policy("renamed", 2, id="P1", name="narrow"),
                policy("created", 4, id="P2", name="wide"),
                policy("deleted", 6, id="P3"),
            ]
        )
    )
    answers = {"wide": {"P1", "P2"}, "narrow": {"P1"}, "P1": {"P1"}, "P2": {"P2"}, "P3": {"P3"}}
    for name, things in answers.items():
        assert {span.thing for span in cells.of_policy(name)} == things, name


def test_an_answer_counts_what_was_learned_after_the_last_question() -> None:
    cells = Cells(HUAWEICLOUD)
    for one in ASKED:
        cells.learn([one])
        for name in ("ci", "other"):
            right = {
                span
                for span in derive(ASKED[: one.position], HUAWEICLOUD)
                if span.name == name and span.subject not in ("policy", "project")
            }
            assert set(cells.of_agency(name)) == right
    assert shown(cells.everything()) == shown(derive(ASKED, HUAWEICLOUD))
