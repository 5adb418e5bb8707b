"""Rows of the audit trail as entries, and as sentences."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import cache, partial
from typing import Any, Final

from eventsourcing.persistence import StoredEvent

from ledger.as_of import AsOf
from ledger.events import sentence, subjects_of
from ledger.messages import Recorded
from ledger.persistence.entry import decode
from projections.stores.name_index import KINDS
from projections.views import Views

_FOLDED: Final = {"agency": ("agencies", "agency_id"), "policy": ("policies", "policy_id")}
"""The views that know which name a thing had at which time, and their columns of the id."""


def recorded(row: Mapping[str, Any]) -> Recorded:
    """The entry of a row of the trail. Raises CorruptEntry, UnknownTopic."""
    state = row["entry"].encode("utf-8", "surrogateescape")
    topic = json.loads(state)["topic"]
    return decode(StoredEvent(row["stream"], row["version"], topic, state), row["position"])


def _named(entry: Recorded, name_of: Callable[..., str | None]) -> Recorded:
    """The entry with the names of those things of which it has only the ids."""
    event, update = entry.event, dict[str, str]()
    for kind, field in KINDS.items():
        identity = getattr(event, field, None)
        if identity is not None and getattr(event, kind, "") is None:
            name = name_of(kind, entry.provider, entry.account, identity, entry.effective_at)
            update |= {kind: name} if name else {}
    return replace(entry, event=event.model_copy(update=update)) if update else entry


def _name_of(views: Views, kind: str, provider: str, account: str, *when: Any) -> str | None:
    """The name of an id: its only one, or of several the one that it had at that time."""
    identity, at = when
    names = views.names_of(kind, provider, account, identity)
    if len(names) < 2 or kind not in _FOLDED:
        return names[0] if len(names) == 1 else None
    view, column = _FOLDED[kind]
    where = {"provider": provider, "account": account, column: identity}
    rows = views.read(view, as_of=AsOf(views.reached(), at), where=where).dicts()
    then = {row[kind] for row in rows if row["status"] != "renamed"}
    return then.pop() if len(then) == 1 else None


def sentences(views: Views, rows: Iterable[Mapping[str, Any]]) -> list[str]:
    """One sentence for each row of the trail, with the names that are kept.

    An agency, a policy or a project of which the entry has only the id is called by its name. Of
    several names it is the one at that time; without one, the id stands.
    """
    name_of = cache(partial(_name_of, views))
    entries = [_named(recorded(row), name_of) for row in rows]
    subjects = {subject for entry in entries for subject in subjects_of(entry)}
    names = views.subject_names(sorted(subjects))
    return [sentence(entry, names) for entry in entries]
