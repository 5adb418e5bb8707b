"""Sums up what agencies did, file by file: the calls of one agency, action, region, day, outcome,
and session.

    {…AssumedRole ci, ec2:RunInstances, 09:30…}  ┐
    {…AssumedRole ci, ec2:RunInstances, 17:12…}  ┴→  AgencyActed(ci, 2 calls, 09:30 … 17:12, file)

Any record counts whose actor is an agency, whatever else it is. If many sessions make the same
call, the first ones have sums of their own, and all others one together. The sums of one file are
in memory, until its end: only then its digest is known, by which it is known when it is read again.
Two files may hold the same records. So the number of calls is a file's own, and the views join the
files: by the traces' ids while they are few.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import datetime
from functools import lru_cache
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError

from ledger.account.activity import (
    OTHER_ACTIONS,
    SESSIONS_MAX,
    TRACE_CHARS,
    TRACES_KEPT_MAX,
    Acts,
    AgencyActed,
    AgencyActionFailed,
)
from ledger.messages import Observation, Provenance
from ledger.sources.fields import Record
from ledger.sources.files import Broken
from ledger.sources.report import shown
from ledger.sources.source import Behind, Outcome, Source, Use
from ledger.values import AccountId

KEYS_MAX: Final = 100_000
"""So many actions of a file are summed up one by one. A trace chooses its action's name, so their
number has no limit: the calls of further ones are summed up as `(other actions)`, by agency, day
and outcome.
Once there are so many sums, further sessions have none of their own."""
TRACES_MAX: Final = 100_000
"""A trace that a file has twice counts once, if so many others or fewer lie between."""
NAME_CHARS_MAX: Final = 1_024
_KEY_CHARS: Final = 20

Key = tuple[str, str | None, str | None, str | None, str, str, Outcome, int]
"""Account, agency, its id, region, service, action, outcome, the day's number."""

_account: Final[TypeAdapter[str]] = TypeAdapter(AccountId)
_not_of_code = re.compile(r"[^a-z0-9._-]+")
_not_of_region = re.compile(r"[\s:*]")


class _Sum:
    """The calls of one key."""

    __slots__ = ("calls", "first_at", "ids", "last_at")

    def __init__(self, at: datetime) -> None:
        self.calls = 0
        self.first_at = self.last_at = at
        self.ids: list[str] | None = []
        """The traces' ids, while they are few; None if one is not known."""

    def add(self, use: Use) -> None:
        self.calls += 1
        if use.at < self.first_at:
            self.first_at = use.at
        elif use.at > self.last_at:
            self.last_at = use.at
        if self.ids is None:
            return
        if use.trace_id is None or len(self.ids) == TRACES_KEPT_MAX:
            self.ids = None
        else:
            self.ids.append(use.trace_id)

    def traces(self) -> str | None:
        """The digests of the ids, as an entry has them."""
        if self.ids is None:
            return None
        found = (each.encode("utf-8", "surrogatepass") for each in self.ids)
        return "".join(sorted(hashlib.sha256(each).hexdigest()[:TRACE_CHARS] for each in found))


class FileUses:
    """The sums of one file. Calls after `latest` do not count."""

    def __init__(self, source: Source[Any], file: str, latest: datetime) -> None:
        self._source, self._file, self._latest = source, file, latest
        self._digest = hashlib.sha256()
        self._sums: dict[Key, dict[Behind | None, _Sum]] = {}
        """By session; None stands for all that have no sum of their own."""
        self._size = 0
        """The number of sums."""
        self._seen: set[str] = set()
        self._order: deque[str] = deque()
        self.take_bytes = self._digest.update

    def count(self, record: Record) -> None:
        """Count the call in a record, if an agency made it."""
        try:
            use = self._source.use_of(record) if isinstance(record, dict) else None
        except (ValueError, RecursionError):  # No valid time: it is malformed, or not understood.
            return
        if use is not None and use.at <= self._latest and self._is_new(use.trace_id):
            self._add(use)

    def observations(self, rest: Iterable[str]) -> Iterator[Observation]:
        """The sums, once the `rest` of the file is read too: its digest needs all bytes."""
        if not self._sums:
            return
        with suppress(Broken, OSError):
            for _ in rest:
                pass
        digest = self._digest.hexdigest()
        for key in sorted(self._sums, key=str):
            for place, behind in enumerate(self._sums[key]):
                with suppress(ValidationError):  # An account that no ledger can have.
                    yield self._observation(key, behind, place, digest)

    def _is_new(self, trace_id: str | None) -> bool:
        if trace_id is None:
            return True
        if trace_id in self._seen:
            return False
        self._seen.add(trace_id)
        self._order.append(trace_id)
        if len(self._order) > TRACES_MAX:
            self._seen.discard(self._order.popleft())
        return True

    def _add(self, use: Use) -> None:
        key: Key = (*use[:7], use.at.toordinal())
        if key not in self._sums and len(self._sums) >= KEYS_MAX:
            key = (*use[:3], None, "other", OTHER_ACTIONS, use.outcome, key[-1])
        sessions = self._sums.setdefault(key, {})
        found = sessions.get(use.behind)
        if found is None:
            is_one_more = len(sessions) >= SESSIONS_MAX or (sessions and self._size >= KEYS_MAX)
            behind = None if is_one_more else use.behind
            found = sessions.get(behind)
            if found is None:
                sessions[behind] = found = _Sum(use.at)
                self._size += 1
        found.add(use)

    def _observation(self, key: Key, behind: Behind | None, place: int, digest: str) -> Observation:
        account, agency, agency_id, region, service, action, outcome, _ = key
        summed = self._sums[key][behind]
        fields: dict[str, Any] = {
            "agency": shown(agency) if agency else None,
            "agency_id": shown(agency_id) if agency_id else None,
            "region": region_word(region),
            "service": service_code(service),
            "action": shown(action),
            "calls": summed.calls,
            "first_at": summed.first_at,
            "last_at": summed.last_at,
            "file_digest": digest,
            "traces": summed.traces(),
            "more_sessions": True if behind is None else None,
        }
        if outcome == "succeeded":
            acted: Acts = AgencyActed(**fields)
        else:
            acted = AgencyActionFailed(**fields, outcome=outcome)
        # The session's place, not its name: a digest of a name would outlive its erasure.
        return Observation(
            provider=self._source.provider,
            account=_account.validate_python(account),
            events=(acted,),
            effective_at=summed.last_at,
            source=Provenance(trace_id=_trace_id(digest, (*key, place)), file=self._file),
            names=_names(behind or Behind()),
            sums_up=True,
            former_trace_id=_trace_id(digest, key),  # All sessions were one sum.
        )


def _trace_id(digest: str, summed: tuple[object, ...]) -> str:
    named = hashlib.sha256(json.dumps(summed).encode()).hexdigest()[:_KEY_CHARS]
    return f"use/{digest[:32]}/{named}"


def _names(behind: Behind) -> dict[str, str]:
    return {field: shown(name, NAME_CHARS_MAX) for field, name in behind._asdict().items() if name}


@lru_cache(maxsize=1_024)
def service_code(name: str) -> str:
    """The code of a service, from its name in traces, such as `ELB`.

    >>> service_code("Cloud Eye")
    'cloud-eye'
    """
    return _not_of_code.sub("-", name.lower()).strip("._-")[:128] or "other"


def region_word(name: str | None) -> str | None:
    """A region's id; None for a text that cannot be one."""
    word = shown(name) if name else None
    return None if word is None or _not_of_region.search(word) else word
