"""CloudTrail's own calls → facts: what it records from now on, and whether it records at all."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any, Final, Literal

from ledger.account.witness import MANAGEMENT_EVENTS, NOTHING, RecordingChanged
from ledger.sources.cloudtrail.call import Call
from ledger.sources.fields import first_text, mapping, within
from ledger.sources.report import shown
from ledger.sources.source import Translation

Change = Literal["started", "stopped", "created", "deleted", "changed"]

_MESSAGE_CHARS_MAX: Final = 8_192
_refused = re.compile(r"on resource: (arn:[\w-]+:cloudtrail:\S*[\w-])", re.ASCII)
"""The trail that a refusal's message names alone."""
_RECORDERS: Final = ("name", "trailName", "trailARN", "eventDataStore", "eventDataStoreArn")
_OPTIONS: Final = (
    "isMultiRegionTrail",
    "includeGlobalServiceEvents",
    "isOrganizationTrail",
    "enableLogFileValidation",
    "multiRegionEnabled",
    "organizationEnabled",
    "retentionPeriod",
    "s3BucketName",
)
"""Parameters that say what is recorded, and where it goes."""


def _recording(change: Change) -> Callable[[Call], Translation]:
    """The translator of a call that makes this change."""

    def translated(call: Call) -> Translation:
        recorder = _recorder(call)
        if recorder is None:
            return call.not_named("trail")
        return RecordingChanged(
            recorder=recorder,
            change=change,
            region=call.region,
            detail=shown(", ".join(_details(call)), 500) or None,
            outcome="refused" if call.error else "carried-out",
            why=call.why() if call.error else None,
        )

    return translated


def _recorder(call: Call) -> str | None:
    """The trail's name, which its ARN ends with; an event data store's ARN or name."""
    names = (each.get(key) for each in (call.request, call.response) for key in _RECORDERS)
    refused = _refused.search(call.message) if len(call.message) <= _MESSAGE_CHARS_MAX else None
    named = first_text((*names, refused and refused[1]))
    return named and (named.rpartition(":trail/")[2] or named)


def _details(call: Call) -> Iterator[str]:
    for key in _OPTIONS:
        if (value := call.request.get(key)) is not None:
            yield f"{key}={str(value).lower() if isinstance(value, bool) else value}"
    if call.name == "PutEventSelectors" or "advancedEventSelectors" in call.request:
        yield _management_events(call)
    insights = call.request.get("insightSelectors")
    if isinstance(insights, list):
        types = sorted(str(mapping(each).get("insightType")) for each in insights)
        yield f"insights: {', '.join(types) or 'none'}"


def _management_events(call: Call) -> str:
    """The management events that the selectors of the request let through.

    Without them, no change of a role or a policy is recorded.
    """
    if call.omits_request:
        return "selectors not told"
    recorded = [
        *filter(None, map(_selected, _objects(call.request.get("eventSelectors")))),
        *filter(
            None, map(_selected_advanced, _objects(call.request.get("advancedEventSelectors")))
        ),
    ]
    return f"{MANAGEMENT_EVENTS}{' and '.join(sorted(set(recorded))) or NOTHING}"


def _objects(value: object) -> list[dict[str, Any]]:
    return [mapping(each) for each in value] if isinstance(value, list) else []


def _selected(selector: dict[str, Any]) -> str | None:
    """The management events of a basic selector; None if it lets none through."""
    if selector.get("includeManagementEvents") is False:
        return None
    kind = selector.get("readWriteType") or "All"
    left_out = selector.get("excludeManagementEventSources")
    sources = ", ".join(map(str, left_out)) if isinstance(left_out, list) else ""
    return f"{kind} without {sources}" if sources else str(kind)


def _selected_advanced(selector: dict[str, Any]) -> str | None:
    """The same of an advanced selector: its fields are conditions that all hold."""
    fields = {
        str(field.get("field")): within(field) for field in _objects(selector.get("fieldSelectors"))
    }
    if "Management" not in (within(fields, "eventCategory").get("equals") or ()):
        return None
    read_only = within(fields, "readOnly").get("equals") or ()
    kind = "ReadOnly" if "true" in read_only else "WriteOnly" if "false" in read_only else "All"
    others = sorted(fields.keys() - {"eventCategory", "readOnly"})
    return f"{kind} limited by {', '.join(others)}" if others else kind


TRANSLATORS: Final[dict[str, Callable[[Call], Translation]]] = {
    "StartLogging": _recording("started"),
    "StopLogging": _recording("stopped"),
    "CreateTrail": _recording("created"),
    "UpdateTrail": _recording("changed"),
    "DeleteTrail": _recording("deleted"),
    "PutEventSelectors": _recording("changed"),
    "PutInsightSelectors": _recording("changed"),
    "CreateEventDataStore": _recording("created"),
    "UpdateEventDataStore": _recording("changed"),
    "DeleteEventDataStore": _recording("deleted"),
    "RestoreEventDataStore": _recording("started"),
    "StartEventDataStoreIngestion": _recording("started"),
    "StopEventDataStoreIngestion": _recording("stopped"),
}
