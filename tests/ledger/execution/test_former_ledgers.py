"""Ledgers of earlier versions, which appended the ends of permissions that they inferred.

An inferred end proves nothing and decides nothing: the deletion itself ends the permission, and a
revocation that arrives later tells when and by whom it ended.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from eventsourcing.persistence import StoredEvent

from ledger.account.agency import CreateAgency
from ledger.account.questions import Account
from ledger.account.truth.spans import Span
from ledger.application import Ledger

FORMER = Path(__file__).parent / "former" / "inferred-ends.jsonl"
"""Observed facts that a version before the fold appended, with the ends that it inferred:

    13:00 carol creates ci          14:00 carol grants it p and q      17:00 bob deletes it
    late news: 15:00 carol grants `late` · 16:00 alice revokes p
    19:00 carol grants backup `own`    21:00 bob deletes that policy · late news: 20:00 dave did
"""
NAMES = {1: "carol", 2: "bob", 3: "alice", 4: "dave"}


def former(ledger: Ledger) -> Account:
    """Append the entries byte for byte; the account that they come to."""
    for text in FORMER.read_text(encoding="utf-8").splitlines():
        entry = json.loads(text)
        stored = StoredEvent(entry["stream"], entry["version"], entry["topic"], text.encode())
        ledger.entries.insert_events([stored])
    return ledger.account("huaweicloud", "0a1b2c3d4e5f")


def ends(account: Account) -> dict[str | None, tuple[int, str]]:
    """The hour in which each permission ended, and the name of the person who ended it."""
    spans = account.state.cells.everything()
    return {span.policy: _end(span) for span in spans if _is_end(span)}


def _is_end(span: Span) -> bool:
    return span.subject == "permission" and span.status == "revoked" and span.until_at is None


def _end(span: Span) -> tuple[int, str]:
    assert span.since is not None
    return span.since.hour, NAMES[int((span.actor or "").removeprefix("p-"))]


def test_the_file_has_ends_that_were_inferred() -> None:
    entries = [json.loads(text) for text in FORMER.read_text(encoding="utf-8").splitlines()]
    inferred = [entry for entry in entries if entry.get("consequence_of")]
    assert [entry["consequence_of"] for entry in inferred].count("AgencyDeleted") == 3
    assert {entry["origin"] for entry in inferred} == {"observed"}


def test_inferred_ends_are_ignored_and_better_news_counts(ledger: Ledger) -> None:
    assert ends(former(ledger)) == {
        "p": (16, "alice"),
        "q": (17, "bob"),
        "late": (17, "bob"),
        "own": (20, "dave"),
    }


@pytest.mark.parametrize("agency", ["ci", "backup"])
def test_a_former_ledger_takes_commands(ledger: Ledger, agency: str) -> None:
    """The agency `ci` was deleted; `backup` exists, because it was granted a permission."""
    account = former(ledger)
    assert account.agency_exists(agency) is (agency == "backup")
    command = CreateAgency(account=account.account, agency=agency)
    if agency == "ci":
        made = ledger.execute(command).entries[-1]
        assert made.version == account.version + 1
        assert made.effective_at > datetime(2026, 2, 1, 21, tzinfo=UTC)
    else:
        with pytest.raises(Exception, match="exists already"):
            ledger.execute(command)
