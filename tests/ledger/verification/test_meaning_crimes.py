"""An entry that is not an event of its stream: refused at an append, found by `log verify`."""

from __future__ import annotations

import json
from typing import Any

import pytest
from eventsourcing.persistence import StoredEvent

from ledger.account.permissions import PermissionGranted
from ledger.application import Ledger
from ledger.errors import CorruptEntry, UnknownTopic
from ledger.persistence.side_tables import SideRows
from ledger.verification.entries import verify_entries
from tests.ledger.scenario import ACCOUNT, AGENCY, NOON, PROVIDER, login
from tests.ledger.verification.crimes import Scene
from tests.ledger.worlds import seen, unchecked

GRANTED = PermissionGranted(agency=AGENCY, region="region-1", service="cce")
STREAM = f"account:{PROVIDER}:{ACCOUNT}"
ODD: dict[str, dict[str, Any]] = {
    "a field beyond its event's": {"sudo": "yes"},
    "a field of another event": {"feature": "x"},
    "a day that is not in the calendar": {"effective_at": "2026-02-30T00:00:00.000000Z"},
    "an hour that no day has": {"effective_at": "2026-02-03T24:00:00.000000Z"},
    "a time in another form": {"effective_at": "2026-02-03T12:00:00Z"},
    "a value of another type": {"agency": 7},
    "a region that is not a region": {"region": "a b"},
    "an origin that does not exist": {"origin": "invented"},
    "another account than its stream": {"account": "another"},
    "the stream of another account": {"stream": "account:huaweicloud:another"},
    "the stream of no account": {"stream": "subject:p-0123456789abcdef0123"},
}


@pytest.fixture
def scene(small: Scene) -> Scene:
    return small


def by_hand(ledger: Ledger, **odd: object) -> StoredEvent:
    """The next entry of the account, with odd fields."""
    good = next(
        e for e in ledger.history() if e.type == "PermissionGranted" and e.account == ACCOUNT
    )
    fields = json.loads(ledger.entry_text(good.position or 0))
    stream = str(odd.get("stream", STREAM))
    version = ledger.entries.max_versions([stream])[stream] + 1
    fields |= {"stream": stream, "version": version, "command_id": "by-hand"} | odd
    text = json.dumps(fields, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return StoredEvent(stream, version, fields["topic"], text.encode())


@pytest.mark.parametrize("odd", ODD.values(), ids=ODD)
def test_it_is_refused_at_an_append_by_whatever_hand(scene: Scene, odd: dict[str, Any]) -> None:
    with Ledger(scene.place, log_keys=scene.keys) as ledger:
        ledger.observe([seen("t-1", GRANTED, at=NOON)])
        last, event = ledger.last_position(), by_hand(ledger, **odd)
        for append in (
            lambda: ledger.entries.append([event], SideRows()),
            lambda: ledger.entries.insert_events([event]),
        ):
            with pytest.raises(CorruptEntry, match=r"Nothing was appended\.$"):
                append()
        assert ledger.last_position() == last
        assert ledger.execute(login("cn-south-1")).entries, "the account goes on"


def test_an_unknown_topic_is_refused_at_an_append(scene: Scene) -> None:
    with Ledger(scene.place, log_keys=scene.keys) as ledger:
        event = by_hand(ledger, topic="Nothing.v1")
        with pytest.raises(UnknownTopic, match=r"Nothing was appended\."):
            ledger.entries.append([event], SideRows())


@pytest.mark.parametrize("odd", ODD.values(), ids=ODD)
def test_log_verify_finds_it(scene: Scene, odd: dict[str, Any]) -> None:
    with Ledger(scene.place, log_keys=scene.keys) as ledger:
        ledger.observe([seen("t-1", GRANTED, at=NOON)])
        rows = SideRows(commands=[("by-hand", None, 1)])
        unchecked(ledger).entries.append([by_hand(ledger, **odd)], rows)
        last = ledger.last_position()
    done = verify_entries(scene.place, jobs=1)
    assert any(each.place == f"position {last}" for each in done.findings), done.findings


def test_a_good_entry_by_hand_is_appended_and_verified(scene: Scene) -> None:
    with Ledger(scene.place, log_keys=scene.keys) as ledger:
        ledger.observe([seen("t-1", GRANTED, at=NOON)])
        rows = SideRows(commands=[("by-hand", None, 1)])
        ledger.entries.append([by_hand(ledger)], rows)
    assert scene.found(pin=True, record=True) == ""
