"""Shapes of files: a trail's folder, other services' wrappings, a broken record."""

from __future__ import annotations

from typing import Final

from tests.cases.case import Case, Do, Rows, Text

_ROLES = "view agencies"

CASES: Final[tuple[Case, ...]] = (
    Case(
        name="07-awslogs-folder",
        kind="a trail's folder, with the files of other services in it",
        source="cloudtrail",
        imports_as_it_is=True,
        steps=[
            Text(
                says="the other files are passed over by name, and the import succeeds",
                command="import cloudtrail {folder}/AWSLogs/210987654321",
                has=[
                    "cloudtrail:insight record  1",
                    "cloudtrail:digest file     1",
                    "aws:config item            1",
                ],
            ),
            Rows(says="the one trace is read", command=_ROLES, columns="agency", rows=[("app-a",)]),
            Text(
                says="a folder without a trace is an error that says what lies there",
                command="import cloudtrail {folder}/AWSLogs/210987654321/Config",
                has=["There is no trace of AWS CloudTrail in", "1 × aws:config item"],
                code=4,
            ),
        ],
    ),
    Case(
        name="08-other-envelopes",
        kind="one record in the wrappings of other services",
        source="cloudtrail",
        imports_as_it_is=True,
        steps=[
            *(
                Text(
                    says=f"the record is read from {name}.json",
                    command=f"import cloudtrail {{folder}}/{name}.json --dry-run",
                    has=["AgencyCreated  1"],
                )
                for name in ("bare", "lookup-events", "eventbridge", "cloudwatch")
            ),
            Do("import cloudtrail {folder}/bare.json"),
            *(
                Text(
                    says=f"that of {name}.json is the same",
                    command=f"import cloudtrail {{folder}}/{name}.json",
                    has=["known traces      1", "conflicts         0", "entries appended  0"],
                )
                for name in ("lookup-events", "eventbridge", "cloudwatch")
            ),
            Rows(says="it is one role", command=_ROLES, columns="agency", rows=[("app-b",)]),
        ],
    ),
    Case(
        name="55-broken-record-in-an-array",
        kind="a broken record in the midst of an array",
        source="cloudtrail",
        imports_as_it_is=True,
        steps=[
            Text(
                says="the place and the bytes are named, and the rest is imported",
                command="import cloudtrail {folder}/t.json",
                has=[
                    "t.json: line 2, column 36",
                    "38 bytes are not read: from line 2, column 1 on",
                    "the rest was imported",
                ],
                code=9,
            ),
            Rows(
                says="the records behind it are read",
                command="view agencies",
                columns="agency status",
                rows=[("r", "deleted")],
            ),
        ],
    ),
)
