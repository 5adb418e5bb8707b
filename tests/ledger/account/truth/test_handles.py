"""The handles of facts, and cells that recall earlier facts by them."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from itertools import permutations

from ledger.account.truth.cells import Cells
from ledger.account.truth.derive import derive
from ledger.account.truth.fact import Fact
from ledger.account.truth.handles import Handle, handles_of
from ledger.account.truth.rules import AWS, HUAWEICLOUD, Rules
from ledger.account.truth.spans import Span
from tests.ledger.account.truth.histories import fact, numbered


def test_a_fact_speaks_of_its_thing_and_of_the_policy_and_project_that_it_uses() -> None:
    granted = fact("A", 0, id="X1", policy="Etl", policy_id="P1", region="eu-de", project_id="pr1")
    assert list(handles_of(granted, HUAWEICLOUD)) == [
        ("agency", "#X1"),
        ("use of policy", "#P1"),
        ("use of policy", "Etl"),
        ("name of policy", "#P1"),
        ("name of policy", "Etl"),
        ("use of project", "#pr1"),
        ("use of project", "eu-de"),
        ("name of project", "#pr1"),
        ("name of project", "eu-de"),
    ]


def test_only_a_fact_that_tells_both_has_the_name_of_a_policy_or_a_project() -> None:
    by_name = fact("A", 0, policy="Etl", region="eu-de")
    by_id = fact("A", 0, policy=None, policy_id="P1", region=None, project_id="pr1")
    assert [kind for kind, _ in handles_of(by_name, AWS)] == [
        "agency", "use of policy", "use of project",
    ]  # fmt: skip
    assert [kind for kind, _ in handles_of(by_id, AWS)] == [
        "agency", "use of policy", "use of project",
    ]  # fmt: skip


def test_a_handle_is_a_name_as_the_cloud_compares_it() -> None:
    created = fact("C", 0, kind="policy", id="P1", name="Etl")
    assert list(handles_of(created, AWS)) == [("policy", "#P1"), ("policy", "etl")]


def test_all_regions_are_not_a_project() -> None:
    assert list(handles_of(fact("A", 0, policy=None, region="*"), AWS)) == [("agency", "ci")]


HISTORY = numbered(
    (
        fact("C", 1, kind="policy", id="P1", name="etl"),
        fact("C", 0, id="X1"),
        fact("A", 2, policy="etl"),
        fact("A", 3, name="other", policy="etl"),
        fact("E", 4, name="third"),
        fact("D", 8, "bob", kind="policy", id="P1", name=None),
    )
)


def test_cells_that_recall_by_handles_find_the_changes_of_cells_that_hold_all() -> None:
    for rules in (AWS, HUAWEICLOUD):
        for order in permutations(HISTORY):
            check_last_change(numbered(order), rules)


def check_last_change(facts: list[Fact], rules: Rules) -> None:
    def recall(handles: Collection[Handle]) -> Iterable[Fact]:
        return [one for one in facts if not set(handles).isdisjoint(handles_of(one, rules))]

    cells = Cells(rules, recall)
    cells.learn(facts[-1:])
    shown = _shown(derive(facts[:-1], rules))
    for change in cells.changes():
        for span in (change.before, change.after):
            assert span is None or span.name != "third" or facts[-1].name == "third"
        _apply(shown, change.before, change.after)
    assert shown == _shown(derive(facts, rules))


def _apply(shown: dict[object, Span], before: Span | None, after: Span | None) -> None:
    if before is not None:
        assert shown.pop((before.key, before.valid_from)) == before
    if after is not None:
        shown[after.key, after.valid_from] = after


def _shown(spans: Iterable[Span]) -> dict[object, Span]:
    return {(span.key, span.valid_from): span for span in spans}
