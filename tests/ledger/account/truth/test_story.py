"""The steps of a story: what each successful call needs, and what holds after it."""

from __future__ import annotations

from typing import Final

import pytest

from ledger.account.truth.fact import Call, Fact, LineKey
from ledger.account.truth.life import Life
from ledger.account.truth.rules import HUAWEICLOUD
from ledger.account.truth.story import Story
from tests.ledger.account.truth.histories import fact

KEY: Final = LineKey("*", None, "admin")
BEFORE: Final[dict[str, tuple[Call, ...]]] = {
    "absent": ("created", "deleted"),
    "present": ("created",),
    "granted": ("created", "granted"),
}
NEEDS: Final[list[tuple[Call, str, set[str]]]] = [
    # The call, what it needs, and what holds after it.
    ("created", "absent", {"exists"}),
    ("entered", "absent", {"exists"}),
    ("deleted", "present", set()),
    ("left", "present", set()),
    ("deletion asked for", "present", {"exists", "deletion asked for"}),
    ("granted", "present", {"exists", "granted"}),
    ("revoked", "granted", {"exists", "revoked"}),
    ("trust set", "present", {"exists", "service:x"}),
    ("expiry set", "present", {"exists", "2026-03-01 12:00:09+00:00"}),
    ("evidence", "present", {"exists"}),
    ("doubted", "present", {"exists", "not known"}),
]
"""A renaming is two calls: the thing left one name and entered another."""
UNMET: Final = {"absent": "present", "present": "absent", "granted": "present"}


def after(*calls: Call) -> Story:
    """The story of these calls, a second between them."""
    story = Story(HUAWEICLOUD, {})
    for seconds, call in enumerate(calls):
        story.take(made(call, seconds))
    return story


def made(call: Call, seconds: float) -> Fact:
    key = KEY if call in ("granted", "revoked", "doubted", "ended") else None
    trustee = "service:x" if call == "trust set" else None
    expires_at = fact("E", 9).at if call == "expiry set" else None
    bare = fact("E", seconds, key=key, trustee=trustee, expires_at=expires_at)
    return bare._replace(call=call, position=int(seconds))


def holds(story: Story) -> set[str]:
    life = story.life
    if type(life) is not Life:
        return set()
    asked = {"deletion asked for"} if life.asked is not None else set()
    return {"exists"} | asked | {str(run.status) for line in life.lines.values() for run in line}


@pytest.mark.parametrize(("call", "needs", "then"), NEEDS)
def test_a_call_whose_need_is_met_needs_no_unseen_call(
    call: Call, needs: str, then: set[str]
) -> None:
    story = after(*BEFORE[needs], call)
    assert story.cost == 0
    assert holds(story) == then


@pytest.mark.parametrize(("call", "needs", "then"), NEEDS)
def test_a_call_whose_need_is_not_met_proves_one_unseen_call(
    call: Call, needs: str, then: set[str]
) -> None:
    story = after(*BEFORE[UNMET[needs]], call)
    assert story.cost == 1
    assert holds(story) == then


def test_a_deletion_that_failed_needs_nothing_and_takes_the_request_back() -> None:
    assert holds(after("created", "deletion asked for", "deletion failed")) == {"exists"}
    for before in BEFORE.values():
        assert after(*before, "deletion failed").cost == 0


def test_the_end_of_a_policy_ends_what_is_granted_under_it_and_proves_no_grant() -> None:
    assert holds(after("created", "granted", "ended")) == {"exists", "revoked"}
    assert holds(after("created", "ended")) == {"exists"}
    for before in BEFORE.values():
        assert after(*before, "ended").cost == 0
