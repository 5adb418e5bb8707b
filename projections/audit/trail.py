"""Rows of the audit trail as entries, and as sentences."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from eventsourcing.persistence import StoredEvent

from ledger.events import sentence, subjects_of
from ledger.messages import Recorded
from ledger.persistence.entry import decode
from projections.views import Views


def recorded(row: Mapping[str, Any]) -> Recorded:
    """The entry of a row of the trail. Raises CorruptEntry, UnknownTopic."""
    state = row["entry"].encode("utf-8", "surrogateescape")
    topic = json.loads(state)["topic"]
    return decode(StoredEvent(row["stream"], row["version"], topic, state), row["position"])


def sentences(views: Views, rows: Iterable[Mapping[str, Any]]) -> list[str]:
    """One sentence for each row of the trail, with the names that are kept."""
    entries = [recorded(row) for row in rows]
    subjects = {subject for entry in entries for subject in subjects_of(entry)}
    names = views.subject_names(sorted(subjects))
    return [sentence(entry, names) for entry in entries]
