"""One Huawei Cloud CTS trace, whatever generation its shape is of.

| field | shapes |
|---|---|
| time | epoch milliseconds (13 digits) or nanoseconds (19), number or text; `2016/12/08 11:07:28
  GMT+08:00`, `12/08/2016 …` (month first), `2016-12-08 …`; RFC 3339 |
| user, request, response | an object; one encoded as JSON in a text; "" or an opaque text |
| trace_rating (version 2: trace_status) | normal: it succeeded; warning, incident: it did not |
| code | a number or a text; says nothing of success (302 is a login's, 200 a failure's) |
| trace_id | a UUID; absent or empty in some: then the record's SHA-256 stands for it |

CTS user guide, "Trace structure", and the samples of its older guides and interfaces.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any, Final

from ledger.sources.fields import Record, Unreadable, first_text, mapping, text, why, within
from ledger.sources.source import Trace
from ledger.values import instant, later

GLOBAL_SERVICES: Final = "global"
"""Stands as the region of what belongs to global services: grants on the domain, most logins."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_NANOSECONDS: Final = {13: 1_000_000, 19: 1}
"""What one of it is in nanoseconds, by the number of digits."""

_dated = re.compile(
    r"(?:(?P<y>\d{4})[/-](?P<m>\d\d)[/-](?P<d>\d\d)|(?P<m2>\d\d)/(?P<d2>\d\d)/(?P<y2>\d{4}))"
    r" (?P<time>\d\d:\d\d:\d\d) GMT(?P<zone>[+-]\d\d:\d\d)",
    re.ASCII,
)
_endpoint_region = re.compile(r"^(?:https?://)?[\w-]+\.([a-z]{2}-[a-z]+(?:-\d+)?)\.", re.ASCII)


def time_of(value: object) -> datetime:
    """When it was. Raises Unreadable for anything that none of the known shapes is."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str) or not value:
        raise Unreadable("the trace has no time")
    try:
        if value.isascii() and value.isdigit():
            nanoseconds = int(value) * _NANOSECONDS[len(value)]
            return later(_EPOCH, timedelta(microseconds=nanoseconds // 1_000))
        found = _dated.fullmatch(value)
        if found:
            year, month, day = (found[k] or found[f"{k}2"] for k in "ymd")
            value = f"{year}-{month}-{day}T{found['time']}{found['zone']}"
        return instant(value)
    except (ValueError, KeyError) as error:
        raise Unreadable(f"the time {value[:40]!r} has none of the known shapes") from error


def trace_id_of(record: Record) -> str:
    """The trace's own id; else one made of its content, so that it is one fact when read again."""
    own = text(record.get("trace_id"))
    if own:
        return own
    content = json.dumps(record, sort_keys=True, separators=(",", ":"))
    return f"sha256-{hashlib.sha256(content.encode()).hexdigest()}"


def account_of(record: Record, user: dict[str, Any]) -> str | None:
    """The account whose resource it is: a trace between two accounts is delivered to both."""
    return first_text(
        (
            record.get("resource_account_id"),
            record.get("domain_id"),
            within(user, "domain").get("id"),
            user.get("account_id"),
            within(mapping(record.get("request")), "project").get("domain_id"),
        )
    )


def actor_of(user: dict[str, Any]) -> str | None:
    """`<account>/<user>`, `<account>/<agency>`, and who stands behind the agency if it is said.

    An agency that acts is called `<account>/<agency>` by CTS itself.
    """
    name = _qualified(user)
    behind = within(user, "assumedBy", "user") or within(user, "OriginUser")
    origin = _qualified(behind) if behind else text(user.get("OriginUser"))
    return f"{name} by {origin}" if name and origin else name


def _qualified(user: dict[str, Any]) -> str | None:
    name = first_text((user.get("name"), user.get("user_name"), user.get("principal_id")))
    domain = within(user, "domain")
    account = first_text((domain.get("name"), domain.get("id"), user.get("account_id")))
    return f"{account}/{name}" if name and account and "/" not in name else name


@dataclass(slots=True, kw_only=True)
class CtsTrace(Trace):
    """What was done, by whom, and whether it succeeded."""

    name: str
    record: Record
    succeeded: bool
    user: dict[str, Any] = field(default_factory=dict)
    request: dict[str, Any] = field(default_factory=dict)
    response: dict[str, Any] = field(default_factory=dict)

    @property
    def resource_name(self) -> str | None:
        """What the trace calls the resource; an id in its place is no name."""
        name = text(self.record.get("resource_name"))
        return None if name == self.record.get("resource_id") else name

    @property
    def resource_type(self) -> str:
        return str(self.record.get("resource_type")).lower()

    @property
    def resource_id(self) -> str | None:
        return text(self.record.get("resource_id"))

    def after(self, word: str) -> str | None:
        """What follows a word in the resource's path: `…/roles/{id}`."""
        path = re.split(r"[?#]", text(self.record.get("resource_url")) or "")[0].split("/")
        return next((b for a, b in pairwise(path) if a == word and b), None)

    def said(self, *keys: str) -> str | None:
        """The first text under one of these keys, in the request, then in the response.

        `role.name` is the key `name` within the object `role`.
        """
        for key in keys:
            *path, last = key.split(".")
            for body in (self.request, self.response):
                found = text(within(body, *path).get(last))
                if found:
                    return found
        return None

    def region_of_call(self) -> str:
        """Where the call went, if the trace says so; else it went to a global service."""
        said = text(within(self.record, "location_info").get("region"))
        host = _endpoint_region.match(text(self.record.get("endpoint")) or "")
        return said or (host[1] if host else GLOBAL_SERVICES)

    def why(self) -> str:
        """Why it was refused, without the name of whom."""
        error = within(self.response, "error") or self.response
        said = [
            first_text((error.get(key), self.response.get(key)))
            for key in ("error_code", "errorCode", "code", "error_msg", "errorMsg", "message")
        ]
        code = text(str(self.record.get("code") or ""))
        rest = [f"code {code}" if code else None, text(self.record.get("message"))]
        names = (text(self.user.get("name")), text(self.user.get("user_name")))
        return why((self.record.get("trace_name"), *(said if any(said) else rest)), names)
