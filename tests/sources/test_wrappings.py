"""A trace is the same fact, however other services wrapped it; it is counted once."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ledger.sources.wrapping import WRAPPINGS_MAX
from tests.sources.cloudtrail.making import call
from tests.sources.cts.making import AGENCY, trace
from tests.sources.reading import read

Make = Callable[[Any], Any]


def text(value: Any) -> str:
    return json.dumps(value)


def in_base64(value: Any) -> str:
    return base64.b64encode(json.dumps(value).encode()).decode()


def packed(value: Any) -> str:
    return base64.b64encode(gzip.compress(json.dumps(value).encode())).decode()


def _bus(record: Any) -> Any:
    return {"version": "0", "detail-type": "AWS API Call via CloudTrail", "detail": record}


def _sns(value: Any) -> Any:
    return {"Type": "Notification", "MessageId": "m", "Message": text(value)}


def _logs(*values: Any) -> Any:
    events = [{"id": "1", "timestamp": 1, "message": text(value)} for value in values]
    return {"messageType": "DATA_MESSAGE", "owner": "1", "logGroup": "g", "logEvents": events}


def _kinesis(value: Any) -> Any:
    """A record as a function gets it: it has CloudTrail's own keys."""
    of = {"eventSource": "aws:kinesis", "eventName": "aws:kinesis:record", "eventVersion": "1.0"}
    return {"kinesis": {"data": packed(value)}, "eventID": "shard:1"} | of


AWS: dict[str, Make] = {
    "lookup-events": lambda one: {"Events": [{"EventId": "e", "CloudTrailEvent": text(one)}]},
    "one event of lookup-events": lambda one: {"EventId": "e", "CloudTrailEvent": text(one)},
    "EventBridge": _bus,
    "CloudWatch Logs": _logs,
    "filter-log-events": lambda one: {"events": [{"message": text(one)}], "nextToken": "x"},
    "filter-log-events, streams first": lambda one: {
        "searchedLogStreams": [],
        "events": [{"message": text(one)}],
    },
    "Insights of CloudWatch Logs": lambda one: {"@timestamp": "x", "@message": text(one)},
    "a function's event of CloudWatch Logs": lambda one: {"awslogs": {"data": packed(_logs(one))}},
    "SNS": _sns,
    "SNS to a function": lambda one: {"Records": [{"Sns": {"Message": text(one)}}]},
    "SQS to a function": lambda one: {"Records": [{"messageId": "m", "body": text(one)}]},
    "SQS received": lambda one: {"Messages": [{"MessageId": "m", "Body": text(one)}]},
    "SQS around SNS around EventBridge": lambda one: {
        "Messages": [{"Body": text(_sns(_bus(one)))}]
    },
    "Kinesis to a function": lambda one: {"Records": [_kinesis(one)]},
    "Kinesis around CloudWatch Logs": lambda one: {"Records": [_kinesis(_logs(one))]},
    "Kinesis read": lambda one: {"Records": [{"SequenceNumber": "1", "Data": packed(one)}]},
    "Firehose to a function": lambda one: {
        "invocationId": "i",
        "records": [{"recordId": "1", "data": in_base64(one)}],
    },
    "SQS around a file": lambda one: {"Records": [{"body": text({"Records": [one]})}]},
    "plaso": lambda one: {
        "__container_type__": "event",
        "data_type": "aws:cloudtrail:entry",
        "event_name": "DeleteRole",
        "cloud_trail_event": text(one),
    },
}
HUAWEI: dict[str, Make] = {
    "a log line": lambda one: {"message": text(one)},
    "a log line of several": lambda one: {"message": text([one])},
    "a log line of an envelope": lambda one: {"message": text({"traces": [one]})},
    "a message that is an object": lambda one: {"message": one},
    "a line of LTS": lambda one: {"content": text(one), "line_num": "1"},
    "lines of LTS": lambda one: {"logs": [{"content": text(one)}]},
    "LTS trigger": lambda one: {"lts": {"data": in_base64({"logs": text([{"message": text(one)}])})}},
    "CTS trigger": lambda one: {"cts": one},
    "EventGrid": lambda one: {"specversion": "1.0", "data": one},
    "EventGrid, under another key": lambda one: {"detail": one},
    "logs in a text": lambda one: {"logs": text([{"content": text(one)}])},
}  # fmt: skip
CASES = [
    *(("cloudtrail", name, make) for name, make in AWS.items()),
    *(("cts", name, make) for name, make in HUAWEI.items()),
]
ONE = {
    "cloudtrail": call("DeleteRole", roleName="worker"),
    "cts": trace("deleteAgency", **AGENCY),
}


@pytest.mark.parametrize("form", ["one", "pretty", "array", "lines", "gzip"])
@pytest.mark.parametrize(("kind", "name", "wrap"), CASES, ids=[name for _, name, _ in CASES])
def test_a_wrapped_trace_is_the_same_fact(
    tmp_path: Path, kind: str, name: str, wrap: Make, form: str
) -> None:
    path = tmp_path / "a.json"
    path.write_text(text([ONE[kind]]))
    (bare,), _ = read(kind, path)
    wrapped = wrap(ONE[kind])
    if form in ("array", "lines"):
        each = text(wrapped)
        path.write_text(f"[{each},\n{each}]" if form == "array" else f"{each}\n{each}\n")
    elif form == "gzip":
        path.write_bytes(gzip.compress(text(wrapped).encode()))
    else:
        path.write_text(json.dumps(wrapped, indent=1 if form == "pretty" else None))
    found, report = read(kind, path)
    assert found == [bare] * (2 if form in ("array", "lines") else 1)
    assert (report.records, report.complete) == (len(found), True)


def test_several_messages_are_several_records_and_each_is_exact(tmp_path: Path) -> None:
    others = [call("ListRoles", readOnly=True, size=2**70), call("ListUsers", readOnly=True)]
    (tmp_path / "a.json").write_text(text(_logs(ONE["cloudtrail"], *others, [*others, 7])))
    found, report = read("cloudtrail", tmp_path)
    assert len(found) == 1
    assert (report.records, report.malformed_records) == (6, 1)
    assert report.places[0].message == (
        "in a log event of CloudWatch Logs: a record is a JSON object, not a number"
    )


@pytest.mark.parametrize(
    ("wrapped", "message"),
    [
        (
            {"CloudTrailEvent": "{cut"},
            "in an event of `lookup-events`: 'CloudTrailEvent' is not JSON (Expecting property name",
        ),
        ({"CloudTrailEvent": 7}, "in an event of `lookup-events`: 'CloudTrailEvent' is not a text"),
        (
            {"message": "START RequestId"},
            "in a log event of CloudWatch Logs: 'message' is not JSON",
        ),
        ({"detail": {"a": 1}}, "in an event of EventBridge: not a CloudTrail record"),
        (
            {"awslogs": {"data": "?"}},
            "in an event of CloudWatch Logs: 'awslogs.data' is not Base64",
        ),
        (
            {"awslogs": {"data": packed(ONE)[:40]}},
            "in an event of CloudWatch Logs: 'awslogs.data' has gzip data that ends early",
        ),
        ({"body": "[" * 100_000}, "in a message of SQS: 'body' is nested too deeply"),
        ({"Sns": {"Message": "x"}}, "in a message of SNS: 'Sns.Message' is not JSON"),
    ],
)
def test_a_wrapping_that_cannot_be_opened_is_named(
    tmp_path: Path, wrapped: Any, message: str
) -> None:
    path = tmp_path / "a.json"
    path.write_text(text([wrapped, ONE["cloudtrail"]]))
    found, report = read("cloudtrail", path)
    assert len(found) == 1
    assert (report.records, report.malformed_records) == (2, 1)
    assert report.places[0].message.startswith(message)
    assert report.places[0].place == "line 1, column 2"


def test_a_record_lies_in_a_few_wrappings_at_most(tmp_path: Path) -> None:
    path, wrapped = tmp_path / "a.json", ONE["cts"]
    for _ in range(WRAPPINGS_MAX):
        wrapped = {"message": wrapped}
    path.write_text(text(wrapped))
    assert len(read("cts", path)[0]) == 1
    path.write_text(text({"message": wrapped}))
    found, report = read("cts", path)
    assert (found, report.malformed_records) == ([], 1)


def test_events_of_other_services_on_the_bus_are_passed_over_by_name(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text(text({"detail-type": "GuardDuty Finding", "detail": {"id": "x"}}))
    _, report = read("cloudtrail", path)
    assert report.passed_over == {"eventbridge:GuardDuty Finding": 1}
    assert report.complete


BROKEN = {"cloudtrail": '{"eventVersion": , "x": 1}', "cts": '{"time": , "x": 1}'}


@pytest.mark.parametrize(
    ("kind", "wrap"),
    [
        ("cts", lambda inside: {"message": inside}),
        ("cts", lambda inside: [{"content": inside}]),
        ("cts", lambda inside: {"lts": {"data": base64.b64encode(inside.encode()).decode()}}),
        ("cloudtrail", lambda inside: {"Records": [{"body": inside}]}),
        ("cloudtrail", lambda inside: {"logEvents": [{"message": inside}]}),
    ],
)
def test_a_broken_object_in_an_array_within_a_text_loses_no_neighbour(
    tmp_path: Path, kind: str, wrap: Make
) -> None:
    one = text(ONE[kind])
    path = tmp_path / "a.json"
    path.write_text(text(wrap(f"[{one},{BROKEN[kind]},{one}]")))
    found, report = read(kind, path)
    assert len(found) == 2
    assert (report.records, report.malformed_records, report.breaks) == (3, 1, 0)
    assert f"line 1, column {len(one) + 3 + BROKEN[kind].index(',')}" in report.places[0].message
    assert "bytes are not read" in report.places[0].message


def test_the_lines_of_a_text_are_records(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text(text({"message": f"{text(ONE['cts'])}\n{text(ONE['cts'])}\n"}))
    found, report = read("cts", path)
    assert (len(found), report.records, report.complete) == (2, 2, True)


CONTROL = {
    "messageType": "CONTROL_MESSAGE",
    "owner": "CloudwatchLogs",
    "logGroup": "",
    "logEvents": [{"id": "", "timestamp": 1, "message": "CWL CONTROL MESSAGE: Checking health."}],
}


@pytest.mark.parametrize(
    "wrapped",
    [
        CONTROL,
        [CONTROL],
        {"awslogs": {"data": packed(CONTROL)}},
        {"Records": [_kinesis(CONTROL)]},
    ],
)
def test_a_control_message_is_passed_over_by_name(tmp_path: Path, wrapped: Any) -> None:
    path = tmp_path / "a.json"
    path.write_text(text(wrapped))
    _, report = read("cloudtrail", path)
    assert report.passed_over == {"cloudwatch:control message": 1}
    assert report.complete


def test_a_notice_that_a_function_gets_of_another_service_is_passed_over_by_name(
    tmp_path: Path,
) -> None:
    notice = {"eventVersion": "2.1", "eventSource": "aws:s3", "eventName": "ObjectCreated:Put"}
    path = tmp_path / "a.json"
    path.write_text(text({"Records": [notice | {"s3": {}}]}))
    _, report = read("cloudtrail", path)
    assert report.passed_over == {"aws:s3:ObjectCreated:Put": 1}


@pytest.mark.parametrize("data", [7, {"a": 1}, None])
def test_a_key_that_usually_wraps_others_may_have_anything_beside_an_envelope(
    tmp_path: Path, data: Any
) -> None:
    path = tmp_path / "a.json"
    path.write_text(text([{"data": data, "Records": [ONE["cloudtrail"]]}]))
    assert len(read("cloudtrail", path)[0]) == 1
