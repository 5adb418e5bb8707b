"""The orders of one instant, and the places of other facts among its movements."""

from __future__ import annotations

from ledger.account.truth.fact import Fact
from ledger.account.truth.orders import chains, content, orders, placements
from ledger.account.truth.rules import AWS, HUAWEICLOUD
from tests.ledger.account.truth.histories import fact, in_every_order, numbered, shown, spans

LETTERS = {"created": "C", "deleted": "D", "granted": "A", "revoked": "X"}


def spelled(facts: tuple[Fact, ...]) -> str:
    return "".join(LETTERS[one.call] for one in facts)


def test_facts_of_one_trace_keep_their_order_among_others() -> None:
    facts = numbered([fact("C", 0, trace="t"), fact("A", 0, trace="t"), fact("X", 0, trace="u")])
    assert sorted(spelled(order) for order in orders(facts)) == ["CAX", "CXA", "XCA"]


def test_commanded_facts_have_one_order() -> None:
    facts = numbered([fact(letter, 0, origin="commanded") for letter in "CAX"])
    assert [spelled(order) for order in orders(facts)] == ["CAX"]


def test_the_order_of_chains_does_not_depend_on_the_order_of_arrival() -> None:
    facts = [fact("A", 0, actor, id=name) for actor in ("bob", "carol") for name in ("X1", "X2")]
    first = [[content(one) for one in chain] for chain in chains(numbered(facts))]
    again = [[content(one) for one in chain] for chain in chains(numbered(facts[::-1]))]
    assert first == again
    assert len({content(one) for one in facts}) == 4


def test_a_fact_is_placed_among_movements_where_its_trace_allows_it() -> None:
    created, granted, deleted = numbered(
        [fact("C", 0, trace="t"), fact("A", 0, trace="t"), fact("D", 0, trace="u")]
    )
    assert [
        [spelled(part) for part in place] for place in placements((deleted, created), [granted])
    ] == [["", "", "A"]]
    revoked, later = numbered([fact("X", 0, trace="t"), fact("D", 0, trace="t")])
    assert [[spelled(part) for part in place] for place in placements((later,), [revoked])] == [
        ["X", ""]
    ]


def test_an_unseen_creation_is_not_placed_into_a_second_that_does_not_need_it() -> None:
    found = in_every_order(
        fact("C", 0, id="ID1"), fact("A", 2), fact("X", 4), fact("D", 4), fact("A", 5)
    )
    assert {span.thing for span in found if span.subject == "agency"} == {
        "ID1",
        "ci~by~2026-03-01T12:00:05.000000Z",
    }


def test_which_of_two_ids_a_thing_has_is_open_if_both_are_proven_in_one_second() -> None:
    found = in_every_order(
        fact("C", 1),
        fact("A", 3, id="ID1", name="ci"),
        fact("A", 3, id="ID2", name="ci"),
        rules=HUAWEICLOUD,
    )
    assert shown(found, "agency", thing="ID1")[0].startswith("1-")
    for thing in ("ID1", "ID2"):
        assert all("not known" in text for text in shown(found, "agency", thing=thing))


def test_a_permission_of_a_thing_that_may_have_begun_earlier_is_not_known_there() -> None:
    found = in_every_order(
        fact("C", 2, id="ID1"),
        fact("A", 2.5, policy="read"),
        fact("X", 4, policy="read"),
        fact("D", 4, id="ID1"),
        fact("A", 5, id="ID2", name="ci", policy="read"),
        rules=HUAWEICLOUD,
    )
    assert shown(found, "permission", thing="ID2")[0].startswith("4-5 not known")


def test_deletion_asked_for_is_a_known_cause_of_an_end_that_is_not_seen() -> None:
    asked = (
        fact("C", 0, id="OLD"),
        fact("L", 3),
        fact("C", 5, id="NEW"),
        fact("E", 5, id="OLD", name="ci"),
    )
    found = in_every_order(*asked, rules=AWS)
    assert shown(found, "agency", thing="OLD")[-1] == "5- deleted since 5 (end not seen)"
    assert shown(found, "agency", thing="NEW") == ["5- exists since 5 by carol"]


def test_a_deletion_that_failed_leaves_the_agency_until_it_is_asked_for_again() -> None:
    found = in_every_order(
        fact("C", 0, id="OLD"), fact("L", 3, "bob"), fact("F", 5), fact("L", 8, "dora"), rules=AWS
    )
    assert shown(found, "agency") == [
        "0-3 exists since 0 by carol",
        "3-5 deletion asked for since 3 by bob",
        "5-8 exists since 0 by carol",
        "8- deletion asked for since 8 by dora",
    ]


def test_a_failed_deletion_that_was_not_asked_for_proves_nothing() -> None:
    assert in_every_order(fact("F", 5), rules=AWS) == []


def test_the_end_of_a_task_is_of_the_agency_whose_deletion_was_asked_for() -> None:
    """The role was made again before anybody asked how the task ended."""
    made_again = fact("C", 0), fact("L", 3, "bob", task="t1"), fact("C", 5, "dora")
    for end in ("D", "F"):
        found = in_every_order(*made_again, fact(end, 9, task="t1"), rules=AWS)
        assert shown(found, "agency")[-1] == "5- exists since 5 by dora"
        again = (fact("L", 7, "erik", task="t2"), fact(end, 9, task="t2"))
        last = {"D": "9- deleted since 9 by carol", "F": "9- exists since 5 by dora"}
        found = in_every_order(*made_again, *again, rules=AWS)
        assert shown(found, "agency")[-1] == last[end]


def test_the_end_of_a_task_that_nobody_was_seen_to_ask_for_ends_the_agency() -> None:
    found = in_every_order(fact("C", 0), fact("D", 9, task="t1"), rules=AWS)
    assert shown(found, "agency")[-1] == "9- deleted since 9 by carol"


def test_of_two_requests_each_task_may_be_the_one_that_deletes() -> None:
    asked = fact("L", 3, "bob", task="t1"), fact("L", 4, "dora", task="t2")
    found = in_every_order(fact("C", 0), *asked, fact("D", 9, task="t2"), rules=AWS)
    assert shown(found, "agency")[-1] == "9- deleted since 9 by carol"


def test_a_command_and_a_trace_in_one_instant_have_an_order() -> None:
    """The unseen creation that is tried before the trace's call does not belong to the command."""
    command = {"origin": "commanded"}
    found = spans(
        fact("C", 0, id="ID1", **command),
        fact("A", 0, policy="read", **command),
        fact("A", 0, **command),
        fact("X", 0),
        rules=HUAWEICLOUD,
    )
    assert shown(found, "agency") == ["0- exists since 0 by carol"]
    permissions = {span.policy: span for span in found if span.subject == "permission"}
    assert permissions["read"].status == "granted"
    assert permissions["admin"].status == "revoked"


def test_an_unseen_creation_may_come_after_a_commanded_deletion_of_the_same_second() -> None:
    """It is not one of the commanded facts, whose order is given: this second had no order."""
    found = spans(
        fact("A", 0, origin="commanded"),
        fact("X", 0, origin="commanded"),
        fact("D", 0, origin="commanded"),
        fact("A", 0, trace="t"),
        rules=HUAWEICLOUD,
    )
    assert shown(found, "agency")[-1].startswith("0- deleted")


def test_a_revocation_in_the_second_of_a_renaming_is_of_the_agency_that_had_the_name() -> None:
    renamed = fact("W", 5, id="X1", name="deploy")
    found = in_every_order(
        fact("C", 0, id="X1"), fact("A", 1, "ops"), renamed, fact("X", 5, "dan"), rules=HUAWEICLOUD
    )
    assert shown(found, "permission") == ["1-5 granted since 1 by ops", "5- revoked since 5 by dan"]
    assert shown(found, "agency", name="ci") == ["0-5 exists since 0 by carol"]


def test_a_use_of_the_agency_before_six_movements_does_not_add_to_them() -> None:
    moved = [
        fact("D", 5, trace="t") if identity is None else fact("C", 5, id=identity, trace="t")
        for identity in (None, "X2", None, "X3", None, "X4")
    ]
    found = spans(fact("C", 0, id="X1"), fact("E", 5, id="X1"), *moved, rules=HUAWEICLOUD)
    assert shown(found, "agency", thing="X1")[-1] == "5- deleted since 5 by carol"
    assert shown(found, "agency", thing="X4") == ["5- exists since 5 by carol"]
