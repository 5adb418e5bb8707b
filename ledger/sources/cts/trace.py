"""One Huawei Cloud CTS trace, in any of the shapes that CTS has used over the years.

| field | shapes |
|---|---|
| time | epoch milliseconds (13 digits) or nanoseconds (19), number or text; `2016/12/08 11:07:28
  GMT+08:00`, `12/08/2016 …` (month first), `2016-12-08 …`; RFC 3339 |
| user, request, response | an object; one encoded as JSON in a text; "" or an opaque text |
| trace_rating (version 2: trace_status) | normal: it succeeded; warning, incident: it failed |
| code | a number or a text; not a sign of success (a login has 302, some failures have 200) |
| trace_id | a UUID; if it is missing or empty, the record's SHA-256 is used instead |
| resource_url | the path of the call. Most calls have their ids only here: `…/agencies/{id}` |

CTS user guide, "Trace structure", and the samples of its older guides and interfaces.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache, lru_cache
from itertools import pairwise
from typing import Any, Final, NamedTuple

from ledger.sources.fields import Record, Unreadable, first_text, mapping, text, why, within
from ledger.sources.source import Trace
from ledger.values import instant, later

DIGEST_FILE: Final = "cts:digest file"
"""The kind of the files that CTS writes beside its traces, to prove that they are whole."""
GLOBAL_SERVICES: Final = "global"
"""The region of global services: of grants on the domain, and of most logins."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_NANOSECONDS: Final = {13: 1_000_000, 19: 1}
"""The unit of a time in nanoseconds, by its number of digits."""

_dated = re.compile(
    r"(?:(?P<y>\d{4})[/-](?P<m>\d\d)[/-](?P<d>\d\d)|(?P<m2>\d\d)/(?P<d2>\d\d)/(?P<y2>\d{4}))"
    r" (?P<time>\d\d:\d\d:\d\d) GMT(?P<zone>[+-]\d\d:\d\d)",
    re.ASCII,
)
_REGION: Final = r"(?:[a-z]{2}-[a-z]+-\d+|eu-[a-z]{2}\d*|ru-moscow)"
"""`cn-north-4`, `eu-west-101`; of other clouds of the same make also `eu-de`, `eu-ch2`,
`ru-moscow`. Two words alone are too often the name of something else."""
_region = re.compile(_REGION, re.ASCII)
_word = re.compile(r"[^\s:*\x00-\x1f\x7f-\x9f]{1,128}")
_project = re.compile(rf"{_REGION}(?:_[^\s:*/]+)?|MOS", re.ASCII)
_id = re.compile(r"[0-9a-f]{32}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_THINGS: Final = ("agencies", "service-linked-agencies", "projects", "domains")
"""Words of a path that an id follows, and which a trace of another thing may have as its resource's
name. The ids of roles and policies are sorted out where those are read."""


def time_of(value: object) -> datetime:
    """The time that a trace has. Raises Unreadable for every shape that is not known."""
    if value is None or value == "":
        raise Unreadable("the trace has no time")
    whole = isinstance(value, float) and value.is_integer()
    written = f"{value:.0f}" if whole else str(value)
    try:
        if written.isascii() and written.isdigit():
            nanoseconds = int(written) * _NANOSECONDS[len(written)]
            return later(_EPOCH, timedelta(microseconds=nanoseconds // 1_000))
        found = _dated.fullmatch(written)
        if found:
            year, month, day = (found[k] or found[f"{k}2"] for k in "ymd")
            written = f"{year}-{month}-{day}T{found['time']}{found['zone']}"
        return instant(written)
    except (ValueError, KeyError) as error:
        raise Unreadable(
            f"the time {written[:40]!r} is not valid in any of the known shapes"
        ) from error


def trace_id_of(record: Record) -> str:
    """The trace's own id; else a digest of its content, so that a second import finds it again."""
    own = text(record.get("trace_id"))
    if own:
        return own
    content = json.dumps(record, sort_keys=True, separators=(",", ":"))
    return f"sha256-{hashlib.sha256(content.encode()).hexdigest()}"


def is_id(word: str) -> bool:
    """Whether a text has the shape of the ids that the cloud gives: 32 hexadecimal digits, a UUID.

    The ids of some things have no shape of their own, so False does not say that it is a name.
    """
    return _id.fullmatch(word) is not None


def is_project(word: str) -> bool:
    """Whether a text has the shape of a project's name: a region's, `<region>_<name>`, or `MOS`.

    MOS is the project that grants on the object storage of some clouds lie on.
    """
    return _project.fullmatch(word) is not None


def path_of(record: Record) -> dict[str, str]:
    """The part that follows each part of the resource's path: `{id}` after `roles`."""
    path = re.split(r"[?#]", text(record.get("resource_url")) or "")[0].split("/")
    return {before: part for before, part in reversed([*pairwise(path)]) if part}


def text_in(bodies: Iterable[Record], *keys: str) -> str | None:
    """The first text under one of these keys: the first key in any of the bodies, then the next.

    `role.name` is the key `name` within the object `role`.
    """
    known = [body for body in bodies if body]  # Most calls of IAM have none.
    for key in keys if known else ():
        path, last = _split(key)
        for body in known:
            found = text((within(body, *path) if path else body).get(last))
            if found:
                return found
    return None


def values_in(body: Record, *keys: str) -> Iterator[object]:
    """The values under these keys in a body that are not empty, of whichever type."""
    for key in keys:
        path, last = _split(key)
        found = (within(body, *path) if path else body).get(last)
        if found:
            yield found


@cache  # The keys are few, and all of them in this program.
def _split(key: str) -> tuple[list[str], str]:
    *path, last = key.split(".")
    return path, last


def stated_region(record: Record) -> str | None:
    """The region that was called, if a trace names one; a title with spaces is not its id."""
    location, endpoint = record.get("location_info"), text(record.get("endpoint"))
    stated = text(mapping(location).get("region")) if location else None
    if stated is not None and _word.fullmatch(stated):
        return stated
    return _region_of(endpoint) if endpoint else None


@lru_cache(maxsize=1_024)  # A cloud has few endpoints.
def _region_of(endpoint: str) -> str | None:
    return next(filter(_region.fullmatch, reversed(endpoint.split("."))), None)


class Handles(NamedTuple):
    """The immutable id and the name by which a trace names a thing. It may have only one of them,
    or none.
    """

    id: str | None = None
    name: str | None = None

    @property
    def known(self) -> bool:
        return self.id is not None or self.name is not None


def handles(identity: str | None, name: str | None) -> Handles:
    """The handles in these places. An id in the place of the name is stated as an id alone."""
    if name is not None and (name == identity or is_id(name)):
        return Handles(identity or name)
    return Handles(identity, name)


@dataclass(slots=True, kw_only=True)
class CtsTrace(Trace):
    """One call: the user, the request, the response, and whether it succeeded."""

    name: str
    record: Record
    succeeded: bool
    user: dict[str, Any]
    request: dict[str, Any]
    response: dict[str, Any]
    path: dict[str, str]
    account_name: str | None = None
    """The account's name, if the trace tells it beside the id."""

    @property
    def resource_type(self) -> str:
        return str(self.record.get("resource_type")).lower()

    @property
    def resource(self) -> Handles:
        """The id and the name of the trace's resource. An id in the name's place is not a name: its
        own, or one that stands in the path.
        """
        name = text(self.record.get("resource_name"))
        named = None if name in map(self.after, _THINGS) else name
        return handles(text(self.record.get("resource_id")), named)

    def after(self, *words: str) -> str | None:
        """The part that follows one of these words in the resource's path, as in `…/roles/{id}`."""
        return next((self.path[word] for word in words if word in self.path), None)

    def text_at(self, *keys: str) -> str | None:
        """The first text under one of these keys, in the request, then in the response."""
        return text_in((self.request, self.response), *keys)

    def asked(self, *keys: str) -> str | None:
        """The same in the request alone: the response also has what the call did not change."""
        return text_in((self.request,), *keys)

    def stated_region(self) -> str | None:
        """The region that was called, if the trace names one."""
        return stated_region(self.record)

    def region_of_call(self) -> str:
        """The region that was called, if the trace names one; else that of global services."""
        return self.stated_region() or GLOBAL_SERVICES

    def why(self) -> str:
        """The reason of a refusal, without the user's name."""
        error = within(self.response, "error")
        reasons = [
            first_text((error.get(key), self.response.get(key)))
            for key in ("error_code", "errorCode", "code", "error_msg", "errorMsg", "message")
        ]
        code = text(str(self.record.get("code") or ""))
        rest = [f"code {code}" if code else None, text(self.record.get("message"))]
        names = (text(self.user.get("name")), text(self.user.get("user_name")))
        return why((self.record.get("trace_name"), *(reasons if any(reasons) else rest)), names)
