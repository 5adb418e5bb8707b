"""The how-tos work: each is followed word for word in a copy of the program."""

from __future__ import annotations

import json
from pathlib import Path

from tests.documentation.howto import Followed


def test_a_source_is_added_by_its_folder_alone(tmp_path: Path) -> None:
    followed = Followed("add-a-source.md", tmp_path)
    assert {Path(name).parent for name in followed.written} == {Path("ledger/sources/googlecloud")}
    trace = followed.sample()
    refused = {
        **trace,
        "insertId": "4d5e6f",
        "protoPayload": trace["protoPayload"]
        | {"response": None, "status": {"code": 7, "message": "wei@acme.example may not"}},
    }
    unknown = {"protoPayload": {"serviceName": "x.googleapis.com", "methodName": "a.b.Look"}}
    (tmp_path / "traces.json").write_text(json.dumps([trace, refused, trace, unknown]))
    assert "Import traces of Google Cloud's audit logs." in followed.run("import", "--help")
    report = json.loads(followed.run("import", "googlecloud", "traces.json", "-o", "json"))
    assert report["by_name"]["understood"] == {"iam:CreateServiceAccount": 3}
    assert report["by_name"]["not_understood"] == {"x:Look": 1}
    assert (report["new_traces"], report["known_traces"]) == (2, 1)
    [agency] = json.loads(followed.run("view", "agencies", "-o", "json"))
    assert (agency["provider"], agency["account"]) == ("googlecloud", "acme-prod")
    assert agency["agency"] == "mesh@acme-prod.iam.gserviceaccount.com"
    refusals = followed.run("audit", "trail", "--event", "AgencyCreationRefused", "-o", "json")
    assert "CreateServiceAccount: (somebody) may not" in refusals
