"""The steps of a line: which alternatives can still win, and how many facts were not seen."""

from __future__ import annotations

from ledger.account.truth.lines import GRANTED, NOT_KNOWN, REVOKED, Run, best, ended, granted
from tests.ledger.account.truth.histories import at, fact

GRANT = fact("A", 5)
HELD = Run(GRANTED, at(5), GRANT, None, None)
CLOSED = Run(REVOKED, at(5), GRANT, None, None, closed=True)


def test_a_grant_under_a_policy_that_has_ended_needs_another_policy() -> None:
    assert granted((CLOSED,), fact("A", 9))[1] == 1
    line, missing = granted((HELD, CLOSED), fact("A", 9))
    assert missing == 0
    assert best(line) == (HELD,), "that it was granted already explains the grant"


def test_the_end_of_a_policy_proves_an_unseen_end_only_of_what_was_granted() -> None:
    end = fact("D", 9)
    doubt = Run(NOT_KNOWN, at(5), None, None, None)
    for run, cost in ((HELD, 1), (doubt, 0), (CLOSED, 0)):
        line, missing = ended((run,), end, needs_detached=True)
        assert (missing, line[0].status) == (cost, REVOKED)
        assert ended((run,), end, needs_detached=False)[1] == 0
