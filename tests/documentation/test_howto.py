"""The how-tos work: each is followed word for word in a copy of the program."""

from __future__ import annotations

import json
from pathlib import Path

from tests.documentation.howto import ROOT, Followed

COMPARE = """
from ledger.application import Ledger
from ledger.catalogue import load_catalogue
from projections.views import Views
from tests.projections import oracle

with Ledger("it.db") as ledger, Views.open("it.db", load_catalogue()) as views:
    views.catch_up()
    assert views.read("overrides").rows == oracle.fold("overrides", ledger.history())
    assert views.rebuild().equal
"""


def test_an_event_and_its_command_are_one_file_and_a_cli_command_is_another(
    tmp_path: Path,
) -> None:
    followed = Followed("add-an-event.md", tmp_path)
    assert followed.changed == {"ledger/account/agency.py"}
    followed.follow("add-a-command.md")
    assert followed.changed == {"cli/commands/agency.py", "cli/main.py"}
    assert followed.written == ["cli/commands/region.py"]
    followed.run("agency", "create", "mesh", "--account", "it", "--actor", "alice")
    described = ("agency", "describe", "mesh", "operates the mesh", "--account", "it")
    followed.run(*described, "--actor", "alice")
    sentence = "alice described the agency mesh: operates the mesh"
    assert sentence in followed.run("audit", "trail", "--event", "AgencyDescribed")
    replayed = json.loads(followed.run("audit", "replay", "-o", "json"))[-1]
    assert (replayed["what"], replayed["change"]) == (sentence, "on record only: nothing changes")
    [*_, last] = json.loads(followed.run("region", "list", "-o", "json"))
    assert last.keys() == {"provider", "region"}


def test_a_service_is_a_file_of_data(tmp_path: Path) -> None:
    followed = Followed("add-a-service.md", tmp_path)
    [name] = followed.written
    assert name == "services/cgs.toml"
    for line in ("console login", "authorization grant", "feature use scan"):
        where = ("--service", "cgs", "--region", "cn-north-4", "--account", "it")
        followed.run(*line.split(), *where, "--catalogue", "services")
    shown = followed.run("catalogue", "show", "cgs", "--catalogue", "services")
    assert "Container Guard Service" in shown


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


def test_an_export_format_is_added_by_its_file_alone(tmp_path: Path) -> None:
    followed = Followed("add-an-export.md", tmp_path)
    [name] = followed.written
    assert (tmp_path / name).read_text() == (ROOT / name).read_text()
    other = tmp_path / "projections" / "export" / "formats" / "lengths.py"
    other.write_text(
        '"""The length of each entry."""\n'
        "from projections.export.format import TextFormat\n"
        'FORMAT = TextFormat(name="lengths", title="lengths", head="chars\\n",'
        ' encode=lambda row: f"{len(row[4])}\\n")\n'
    )
    followed.run("console", "login", "--account", "acme", "--region", "cn-north-4", "--user", "wei")
    assert "Write the events as lengths." in followed.run("export", "--help")
    lengths = followed.run("export", "lengths", "-").splitlines()
    lines = followed.run("export", "jsonl", "-").splitlines()
    prefix = len('"position":1,')
    assert lengths == ["chars", *(str(len(line) - prefix) for line in lines)]


def test_a_projection_is_a_file_its_lines_in_the_list_and_a_function_that_tests_it(
    tmp_path: Path,
) -> None:
    followed = Followed("add-a-projection.md", tmp_path)
    assert followed.written == ["projections/definitions/overrides.py"]
    assert followed.changed == {
        "projections/definitions/declared.py",
        "tests/projections/oracle.py",
    }
    here = ("--account", "it", "--region", "cn-north-4")
    followed.run("console", "login", *here)
    followed.run("view", "overrides")
    followed.run("authorization", "grant", *here)
    delete = ("policy", "delete", "asm admin trust policy", "--account", "it")
    followed.run(*delete, "--override", "--reason", "moved")
    [row] = json.loads(followed.run("view", "overrides", "-o", "json"))
    assert (row["account"], row["deletions"]) == ("it", 1)
    followed.python(COMPARE)
