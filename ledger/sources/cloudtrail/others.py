"""The wrappings of CloudTrail's records by other services, and other things' files beside them.

    {"Records":[…]}          a trail's file, messages of SQS or SNS that a function gets
    {"Events":[…]}           `aws cloudtrail lookup-events`: {"CloudTrailEvent":"{…}"}
    {"logEvents":[…]}        a subscription of CloudWatch Logs: {"message":"{…}"}
    {"events":[…]}           `aws logs filter-log-events`, the same
    {"Messages":[…]}         `aws sqs receive-message`: {"Body":"{…}"}
    {"Records":[…]}          a function's event of Kinesis: {"kinesis":{"data":"…"}}
    {"records":[…]}          one of Firehose: {"data":"…"}; both Base64, mostly of gzip
    {"detail-type":…}        EventBridge: {"detail":{…}}
    {"cloud_trail_event":…}  a line of plaso's `json_line` output

The user guides of CloudTrail, CloudWatch Logs, EventBridge, SNS and SQS; plaso's parser of the
output of `lookup-events`.
"""

from __future__ import annotations

from typing import Final

from ledger.sources.fields import Record, Unreadable, text
from ledger.sources.source import TraceKind
from ledger.sources.wrapping import Wrapping

ENVELOPES: Final = (
    "Records",
    "Events",
    "logEvents",
    "events",
    "Messages",
    "configurationItems",
    "records",
)
PREAMBLES: Final = (
    "messageType",
    "owner",
    "logGroup",
    "logStream",
    "subscriptionFilters",
    "searchedLogStreams",
    "NextToken",
    "nextToken",
    "fileVersion",
    "configSnapshotId",
)
WRAPPINGS: Final = (
    Wrapping("an event of `lookup-events`", ("CloudTrailEvent",)),
    Wrapping("a line of plaso", ("cloud_trail_event",)),
    Wrapping("an event of EventBridge", ("detail",), "value"),
    Wrapping("a log event of CloudWatch Logs", ("message",), "value"),
    Wrapping("a result of CloudWatch Logs Insights", ("@message",), "value"),
    Wrapping("an event of CloudWatch Logs", ("awslogs", "data"), "base64"),
    Wrapping("a record of Kinesis", ("kinesis", "data"), "base64"),
    Wrapping("a record of Kinesis", ("Data",), "base64"),
    Wrapping("a record of Firehose", ("data",), "base64"),
    Wrapping("a message of SNS", ("Message",)),
    Wrapping("a message of SNS", ("Sns", "Message")),
    Wrapping("a message of SQS", ("body",)),
    Wrapping("a message of SQS", ("Body",)),
)
SIGNS: Final = frozenset(
    (
        "eventVersion",
        "eventSource",
        "eventName",
        "eventTime",
        "eventID",
        "userIdentity",
        "requestParameters",
        "recipientAccountId",
    )
)
BEGINS: Final = frozenset(
    (
        "awsRegion",
        "EventId",
        "Type",
        "version",
        "@timestamp",
        "messageId",
        "MessageId",
        "__container_type__",
        "EventSource",
        "recordId",
        "SequenceNumber",
    )
)
"""Other first keys of records, and of their wrappings."""
_OF_LOGS: Final = "CloudTrail"


def kind_of(record: Record) -> TraceKind | None:
    """The kind of a thing that is known and is not a record of a call; None for any other."""
    name = _control(record) or _insight(record) or _event(record) or _other(record)
    return TraceKind(name, is_other=True) if name else None


def of_function(record: Record) -> TraceKind | None:
    """The kind of a record that a function gets of another service than CloudTrail, such as a
    notice of S3; None for any other. It has CloudTrail's keys, and `aws:s3` as its source.

    Raises Unreadable for one of Kinesis: it wraps others.
    """
    source = str(record.get("eventSource"))
    if not source.startswith("aws:"):
        return None
    if "kinesis" in record:
        raise Unreadable("not a CloudTrail record: it is one of Kinesis")
    name = str(record.get("eventName")).removeprefix(f"{source}:")
    return TraceKind(f"{source}:{name}", is_other=True)


def _control(record: Record) -> str | None:
    """A message by which CloudWatch Logs only tests a subscription: whole, or its log event."""
    message = record.get("message")
    is_control = record.get("messageType") == "CONTROL_MESSAGE" or (
        isinstance(message, str) and message.startswith("CWL CONTROL MESSAGE")
    )
    return "cloudwatch:control message" if is_control else None


def _insight(record: Record) -> str | None:
    """An Insight record has neither eventSource nor eventName: these stand in its details."""
    is_insight = record.get("eventCategory") == "Insight" or "insightDetails" in record
    return "cloudtrail:insight record" if is_insight else None


def _event(record: Record) -> str | None:
    """An event of EventBridge that is not CloudTrail's."""
    kind = text(record.get("detail-type"))
    return f"eventbridge:{kind}" if kind and _OF_LOGS not in kind else None


def _other(record: Record) -> str | None:
    return next((name for key, name in _BY_KEY.items() if key in record), None)


_BY_KEY: Final = {
    "digestPublicKeyFingerprint": "cloudtrail:digest file",
    "s3ObjectKey": "cloudtrail:notice of a log file",
    "configurationItemStatus": "aws:config item",
    "configurationStateId": "aws:config item",
    "configurationItemCaptureTime": "aws:config item",
    "awsAccountId": "aws:config item",
}
"""Things by a key that they have. The last is that of a Config item, and of a digest file, too."""
