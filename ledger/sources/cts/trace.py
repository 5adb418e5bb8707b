"""One Huawei Cloud CTS trace, in any of the shapes that CTS has used over the years.

| field | shapes |
|---|---|
| time | epoch milliseconds (13 digits) or nanoseconds (19), number or text; `2016/12/08 11:07:28
  GMT+08:00`, `12/08/2016 …` (month first), `2016-12-08 …`; RFC 3339 |
| user, request, response | an object; one encoded as JSON in a text; "" or an opaque text |
| trace_rating (version 2: trace_status) | normal: it succeeded; warning, incident: it failed |
| code | a number or a text; not a sign of success (a login has 302, some failures have 200) |
| trace_id | a UUID; if it is missing or empty, the record's SHA-256 is used instead |

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
"""The region of global services: of grants on the domain, and of most logins."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_NANOSECONDS: Final = {13: 1_000_000, 19: 1}
"""The unit of a time in nanoseconds, by its number of digits."""

_dated = re.compile(
    r"(?:(?P<y>\d{4})[/-](?P<m>\d\d)[/-](?P<d>\d\d)|(?P<m2>\d\d)/(?P<d2>\d\d)/(?P<y2>\d{4}))"
    r" (?P<time>\d\d:\d\d:\d\d) GMT(?P<zone>[+-]\d\d:\d\d)",
    re.ASCII,
)
_endpoint_region = re.compile(r"^(?:https?://)?[\w-]+\.([a-z]{2}-[a-z]+(?:-\d+)?)\.", re.ASCII)


def time_of(value: object) -> datetime:
    """The time that a trace has. Raises Unreadable for every shape that is not known."""
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
        raise Unreadable(
            f"the time {value[:40]!r} is not valid in any of the known shapes"
        ) from error


def trace_id_of(record: Record) -> str:
    """The trace's own id; else a digest of its content, so that a second import finds it again."""
    own = text(record.get("trace_id"))
    if own:
        return own
    content = json.dumps(record, sort_keys=True, separators=(",", ":"))
    return f"sha256-{hashlib.sha256(content.encode()).hexdigest()}"


def account_of(record: Record, user: dict[str, Any]) -> str | None:
    """The account that owns the resource: CTS delivers a trace between two accounts to both."""
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
    """`<account>/<user>` or `<account>/<agency>`, and ` by …` with the user behind the agency, if
    the trace names one.
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
    """One call: the user, the request, the response, and whether it succeeded."""

    name: str
    record: Record
    succeeded: bool
    user: dict[str, Any] = field(default_factory=dict)
    request: dict[str, Any] = field(default_factory=dict)
    response: dict[str, Any] = field(default_factory=dict)

    @property
    def resource_name(self) -> str | None:
        """The resource's name; None if the trace has the id in its place."""
        name = text(self.record.get("resource_name"))
        return None if name == self.record.get("resource_id") else name

    @property
    def resource_type(self) -> str:
        return str(self.record.get("resource_type")).lower()

    @property
    def resource_id(self) -> str | None:
        return text(self.record.get("resource_id"))

    def after(self, word: str) -> str | None:
        """The part that follows a word in the resource's path, as in `…/roles/{id}`."""
        path = re.split(r"[?#]", text(self.record.get("resource_url")) or "")[0].split("/")
        return next((b for a, b in pairwise(path) if a == word and b), None)

    def text_at(self, *keys: str) -> str | None:
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
        """The region that was called, if the trace names one; else that of global services."""
        region = text(within(self.record, "location_info").get("region"))
        host = _endpoint_region.match(text(self.record.get("endpoint")) or "")
        return region or (host[1] if host else GLOBAL_SERVICES)

    def why(self) -> str:
        """The reason of a refusal, without the user's name."""
        error = within(self.response, "error") or self.response
        reasons = [
            first_text((error.get(key), self.response.get(key)))
            for key in ("error_code", "errorCode", "code", "error_msg", "errorMsg", "message")
        ]
        code = text(str(self.record.get("code") or ""))
        rest = [f"code {code}" if code else None, text(self.record.get("message"))]
        names = (text(self.user.get("name")), text(self.user.get("user_name")))
        return why((self.record.get("trace_name"), *(reasons if any(reasons) else rest)), names)
