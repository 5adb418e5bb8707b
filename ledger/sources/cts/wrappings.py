"""The ways in which services deliver CTS traces: log lines of LTS, triggers, events, messages.

    {"message": "{…}"}   {"content": "[{…},{…}]"}   {"lts": {"data": "<Base64>"}}   {"cts": {…}}

LTS user guide, "Ingesting CTS Logs"; FunctionGraph developer guide, "Supported Event Sources".
"""

from __future__ import annotations

from typing import Final

from ledger.sources.wrapping import Wrapping

WRAPPINGS: Final = (
    Wrapping("a log line", ("message",), "value"),
    Wrapping("a log line of LTS", ("content",), "value"),
    Wrapping("an event of the LTS trigger", ("lts", "data"), "base64"),
    Wrapping("the logs of an LTS event", ("logs",), "value"),
    Wrapping("an event of the CTS trigger", ("cts",), "value"),
    Wrapping("an event of EventGrid", ("data",), "value"),
    Wrapping("an event of EventGrid", ("detail",), "value"),
    Wrapping("a message of a queue", ("body",), "value"),
)
SIGNS: Final = frozenset(
    (
        "trace_id",
        "trace_name",
        "trace_type",
        "trace_rating",
        "trace_status",
        "service_type",
        "resource_type",
        "record_time",
        "source_ip",
        "tracker_name",
    )
)
"""Keys that only traces have."""
BEGINS: Final = frozenset(
    ("time", "user", "code", "request", "response", "project_id", "specversion")
)
"""Keys of traces that other things have, too."""
