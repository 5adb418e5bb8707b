"""An agency that expires: what ends then, what a later call proves, what a change brings back."""

from __future__ import annotations

from typing import Final

from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.account.truth.derive import derive
from ledger.account.truth.fact import FOREVER, Fact
from ledger.account.truth.rules import HUAWEICLOUD
from ledger.account.truth.spans import Span
from tests.ledger.account.truth.histories import at, fact, in_every_order, numbered, shown
from tests.ledger.account.truth.simulation import by_cells

CREATED: Final = fact("C", 0, "alice", id="A1", trustee="service:x", expires_at=at(10))
GRANTED: Final = fact("A", 2, "ops")
NOT_SEEN: Final = "(change of expiry not seen)"
ENDED: Final = ["0-10 service:x since 0 by alice", "10- ended since 10 (expired)"]
REVOKED: Final = ["2-10 granted since 2 by ops", "10- revoked since 10 (expired)"]


def found_by(*facts: Fact) -> list[Span]:
    return in_every_order(CREATED, *facts, rules=HUAWEICLOUD)


# -- the earliest end counts ----------------------------------------------------------------------


def test_a_deletion_ends_nothing_that_had_ended_with_the_expiry() -> None:
    found = found_by(GRANTED, fact("D", 30, "eve"))
    assert shown(found, "permission") == REVOKED
    assert shown(found, "trust") == ENDED
    assert shown(found, "agency") == [
        "0-10 exists since 0 by alice",
        "10-30 expired since 10 (expired)",
        "30- deleted since 30 by eve",
    ]


def test_a_revocation_after_the_expiry_ends_nothing() -> None:
    assert shown(found_by(GRANTED, fact("X", 20, "eve")), "permission") == REVOKED


def test_a_revocation_after_the_expiry_proves_a_grant_before_it() -> None:
    permission = shown(found_by(fact("X", 20, "eve")), "permission")
    assert permission == ["0-10 not known (grant not seen)", "10- revoked since 10 (expired)"]


def test_a_new_agency_of_the_name_ends_nothing_that_had_ended_with_the_expiry() -> None:
    found = found_by(GRANTED, fact("C", 30, "eve", id="A2"))
    assert shown(found, "permission", thing="A1") == REVOKED
    assert shown(found, "trust", thing="A1") == ENDED
    assert shown(found, "agency", thing="A1")[-1] == "30- deleted since 30 (end not seen)"


def test_a_command_after_the_expiry_ends_nothing_and_proves_nothing() -> None:
    command = {"origin": "commanded"}
    found = found_by(GRANTED, fact("X", 20, "eve", **command), fact("E", 25, "eve", **command))
    assert shown(found, "permission") == REVOKED
    assert shown(found, "agency")[-1] == "10- expired since 10 (expired)"


def test_a_permission_that_was_revoked_before_the_expiry_ended_then() -> None:
    found = found_by(GRANTED, fact("X", 5, "bob"), fact("D", 30, "eve"))
    assert shown(found, "permission")[-1] == "5- revoked since 5 by bob"


def test_an_expiry_that_is_set_to_the_past_again_ends_nothing_anew() -> None:
    found = found_by(GRANTED, fact("P", 20, "eve", expires_at=at(15)))
    assert shown(found, "permission") == REVOKED


# -- a use proves that the expiry was changed -----------------------------------------------------


def test_a_use_after_the_stated_expiry_proves_that_it_was_changed() -> None:
    found = found_by(GRANTED, fact("E", 20))
    assert shown(found, "agency") == [
        "0-10 exists since 0 by alice",
        f"10-20 not known {NOT_SEEN}",
        f"20- exists {NOT_SEEN}",
    ]
    assert shown(found, "permission")[1:] == [
        f"10-20 not known {NOT_SEEN}",
        f"20- granted {NOT_SEEN}",
    ]
    assert shown(found, "trust")[1:] == [
        f"10-20 not known {NOT_SEEN}",
        f"20- service:x {NOT_SEEN}",
    ]
    assert not any(span.expires for span in found)


def test_a_grant_after_the_stated_expiry_holds_since_that_grant() -> None:
    found = found_by(fact("A", 20, "ops", id="A1"))
    assert shown(found, "permission") == ["20- granted since 20 by ops"]


def test_a_use_after_an_expiry_that_was_changed_in_time_proves_nothing() -> None:
    found = found_by(GRANTED, fact("P", 8, expires_at=FOREVER), fact("E", 20))
    assert shown(found, "permission") == ["2- granted since 2 by ops"]


def test_a_change_of_the_expiry_in_the_second_of_a_use_explains_the_use() -> None:
    found = found_by(GRANTED, fact("P", 20, "dan", expires_at=FOREVER), fact("E", 20))
    assert shown(found, "permission")[1:] == [
        "10-20 revoked since 10 (expired)",
        "20- granted since 20 by dan",
    ]


def test_a_revocation_before_a_use_proves_that_the_permission_is_not_held() -> None:
    found = found_by(GRANTED, fact("X", 15, "eve"), fact("E", 20))
    assert shown(found, "permission")[1:] == [
        f"10-15 not known {NOT_SEEN}",
        f"15- revoked {NOT_SEEN}",
    ]


def test_the_agency_expires_again_at_an_expiry_that_is_set_later() -> None:
    found = found_by(GRANTED, fact("E", 20), fact("P", 22, expires_at=at(30)))
    assert shown(found, "permission")[-1] == "30- revoked since 30 (expired)"


# -- a change of the expiry brings back -----------------------------------------------------------


def test_a_late_change_of_the_expiry_brings_back_since_that_change() -> None:
    found = found_by(GRANTED, fact("P", 30, "dan", expires_at=FOREVER))
    assert shown(found, "agency") == [
        "0-10 exists since 0 by alice",
        "10-30 expired since 10 (expired)",
        "30- exists since 30 by dan",
    ]
    assert shown(found, "permission")[1:] == [
        "10-30 revoked since 10 (expired)",
        "30- granted since 30 by dan",
    ]
    assert shown(found, "trust")[-1] == "30- service:x since 30 by dan"


def test_a_late_change_of_the_expiry_does_not_bring_back_what_was_revoked_meanwhile() -> None:
    found = found_by(GRANTED, fact("X", 20, "eve"), fact("P", 30, "dan", expires_at=FOREVER))
    assert shown(found, "permission") == REVOKED


# -- any history ----------------------------------------------------------------------------------

LENGTH: Final = 14


@st.composite
def histories(draw: st.DrawFn) -> list[Fact]:
    """Calls on an agency that may expire, at most one a second, none of which was lost."""
    facts = [fact("C", 0, "alice", id="A1", expires_at=draw(st.sampled_from(TIMES)))]
    for second in range(1, LENGTH):
        letter = draw(st.sampled_from("AXEP....."))
        actor = draw(st.sampled_from(("bob", "eve")))
        if letter == "P":
            facts.append(fact("P", second, actor, expires_at=draw(st.sampled_from(TIMES))))
        elif letter != ".":
            facts.append(fact(letter, second, actor))
    return [*facts, fact("D", LENGTH, "dan")] if draw(st.booleans()) else facts


TIMES: Final = (at(3), at(6.5), at(9), FOREVER)
Word = str


def lasting(facts: list[Fact]) -> list[Word]:
    """Whether the agency may act after each second, by its expiry: yes, no, or not known (?)."""
    moments = {one.at: one for one in facts}
    since, expiry, words = at(0), facts[0].expires_at or FOREVER, list[Word]()
    for second in range(LENGTH + 1):
        one = moments.get(at(second))
        if one is not None and one.call == "expiry set" and one.expires_at != expiry:
            since, expiry = at(second), one.expires_at or FOREVER
        elif one is not None and one.call in ("granted", "evidence"):
            end = max(since, expiry)
            if end < at(second):
                words = ["?" if at(each) >= end else word for each, word in enumerate(words)]
                since, expiry = at(second), FOREVER
        words.append("no" if expiry <= at(second) else "yes")
    return words


def held(facts: list[Fact]) -> list[Word]:
    """Whether the permission is held after each second, apart from the expiry."""
    moments, words, last = {one.at: one for one in facts}, list[Word](), 0
    for second in range(LENGTH + 1):
        one = moments.get(at(second))
        if one is not None and one.call == "revoked":
            if words[-1] == "no":  # A grant since the last revocation was not seen.
                words[last:] = ["?"] * (second - last)
            last = second
        known = {"granted": "yes", "revoked": "no", "deleted": "no"}
        words.append(known.get(one.call if one else "", words[-1] if words else "no"))
    return words


def words_of(found: list[Span], subject: str, yes: str) -> list[Word]:
    """The fold's words after each second."""
    words = ["no"] * (LENGTH + 1)
    for span in found:
        for second in range(LENGTH + 1) if span.subject == subject else ():
            if span.valid_from <= at(second) and (not span.until_at or at(second) < span.until_at):
                words[second] = {"not known": "?", yes: "yes"}.get(span.status, "no")
    return words


@given(facts=histories())
@settings(max_examples=300, deadline=None)
def test_an_agency_may_do_as_much_as_its_calls_and_its_expiry_say(facts: list[Fact]) -> None:
    found = derive(numbered(facts), HUAWEICLOUD)
    may, has = lasting(facts), held(facts)
    lives = ["yes"] * LENGTH + ["no" if facts[-1].call == "deleted" else "yes"]
    assert words_of(found, "agency", "exists") == _both(may, lives)
    assert words_of(found, "permission", "granted") == _both(may, has)


def _both(may: list[Word], has: list[Word]) -> list[Word]:
    """Whether both hold: surely not if one does not."""
    words = {("yes", "yes"): "yes", ("yes", "?"): "?", ("?", "yes"): "?", ("?", "?"): "?"}
    return [words.get(pair, "no") for pair in zip(may, has, strict=True)]


@given(facts=histories())
@settings(max_examples=200, deadline=None)
def test_no_status_began_after_it_was_shown_and_no_end_is_overwritten(facts: list[Fact]) -> None:
    found = derive(numbered(facts), HUAWEICLOUD)
    assert all(span.since is None or span.since <= span.valid_from for span in found)
    over = ("revoked", "ended")
    for span in found:
        followed = [one for one in found if one.key == span.key and one.valid_from == span.until_at]
        assert not (span.status in over and any(one.status in over for one in followed))


@given(facts=histories(), data=st.data())
@settings(max_examples=100, deadline=None)
def test_cells_that_learn_the_calls_in_any_order_say_the_same(
    facts: list[Fact], data: st.DataObject
) -> None:
    arrived = numbered(data.draw(st.permutations(facts)))
    assert set(by_cells(arrived, HUAWEICLOUD)) == set(derive(arrived, HUAWEICLOUD))
