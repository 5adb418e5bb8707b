"""ASM's whole story as traces of CTS gives the same views as the story that commands record.

Twice: once the traces name things, and once they have ids alone, as the vendor's API has it. The
part that differs by nature is left out: ids, surrogate ids, positions, times; and a consent is
inferred, which is why it ends with its permissions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

import pytest

from tests.cases.case import Record
from tests.cases.fresh import fresh, write
from tests.cases.records.cts import (
    DOMAIN,
    by_name,
    create_agency,
    create_policy,
    delete_policy,
    on_project,
    trace,
)
from tests.cli.conftest import Cli

BEIJING, SINGAPORE = "cn-north-4", "ap-southeast-3"
AGENCY, POLICY = "asm_admin_trust", "asm admin trust policy"
_AGENCY_ID: Final = "a1c3e5000000000000000000000000a1"
_POLICY_ID: Final = "b2d4f6000000000000000000000000b2"
_PROJECTS: Final = {BEIJING: "c3e5a7" + "0" * 26, SINGAPORE: "d4f6b8" + "0" * 26}
_ASM: Final = f"--account {DOMAIN} --service asm"
Grant = Callable[[str, str], Record]
Rows = set[tuple[object, ...]]


def _named(region: str, at: str) -> Record:
    grant = "assignRoleToAgencyOnProject"
    return by_name(grant, at, agency=AGENCY, role=POLICY, project=region)


def _by_ids(region: str, at: str) -> Record:
    grant, project = "assignRoleToAgencyOnProject", _PROJECTS[region]
    return on_project(
        grant, at, agency=_AGENCY_ID, role=_POLICY_ID, project=project, resource_name=_AGENCY_ID
    )


def _project(region: str) -> Record:
    """The only trace that tells the project's name beside its id."""
    named = {"id": _PROJECTS[region], "name": region}
    return trace(
        "createProject",
        "12-01T10:00:00",
        resource_type="project",
        resource_name=region,
        resource_id=_PROJECTS[region],
        response={"project": named},
        request={"project": {"name": region}},
    )


_PROJECT_TRACES: Final = [_project(BEIJING), _project(SINGAPORE)]
_TRUST: Final = {"trust_domain_name": "op_svc_asm"}
_REFUSED: Final = {"code": "403", "trace_rating": "warning", "by": "petr"}


def _chapters(grant: Grant) -> list[list[Record]]:
    """The consent, a second region, the refused deletion, the real one."""
    return [
        [
            create_agency(AGENCY, _AGENCY_ID, "12-10T10:00:00", agency_fields=_TRUST),
            create_policy(POLICY, _POLICY_ID, "12-10T10:00:01"),
            grant(BEIJING, "12-10T10:00:02"),
        ],
        [grant(SINGAPORE, "12-11T10:00:00")],
        [delete_policy(_POLICY_ID, "12-12T10:00:00", **_REFUSED)],
        [delete_policy(_POLICY_ID, "12-13T10:00:00")],
    ]


_COMMANDS: Final = (
    (f"console login {_ASM} --region {BEIJING} --user olga",
     f"authorization grant {_ASM} --region {BEIJING}"),
    (f"console login {_ASM} --region {SINGAPORE} --user olga",
     f"authorization grant {_ASM} --region {SINGAPORE}"),
    (f"policy delete '{POLICY}' --account {DOMAIN}",),
    (f"policy delete '{POLICY}' --account {DOMAIN} --override --reason end",),
)  # fmt: skip

_SHOWN: Final = {
    "agencies": "agency status note",
    "trustees": "agency trustee status",
    "policies": "policy status note",
    "regions": "region agency policy status",
    "authorizations": "region service status",
    "capabilities": "region service feature agency status missing",
    "attempts": "agency policy refused carried_out",
}


def _views(cli: Cli) -> dict[str, Rows]:
    return {
        view: {
            tuple(row[column] for column in columns.split())
            for row in cli.done(f"view {view} -o json").json
        }
        for view, columns in _SHOWN.items()
    }


def _commanded() -> Iterator[dict[str, Rows]]:
    """The views after each chapter."""
    with fresh() as cli:
        for chapter in _COMMANDS:
            for command in chapter:
                assert cli(command).code in (0, 3)
            yield _views(cli)


def _imported(chapters: Sequence[Sequence[Record]]) -> Iterator[tuple[dict[str, Rows], Any]]:
    """The views after each chapter, and the rows of `authorizations`."""
    with fresh() as cli:
        write(cli.folder, "projects.json", "cts", _PROJECT_TRACES)
        cli.done("import cts projects.json")
        for number, chapter in enumerate(chapters):
            write(cli.folder, f"{number}.json", "cts", chapter)
            cli.done(f"import cts {number}.json")
            yield _views(cli), cli.done("view authorizations -o json").json


@pytest.fixture(scope="module")
def commanded() -> list[dict[str, Rows]]:
    return list(_commanded())


@pytest.mark.parametrize("grant", [_named, _by_ids], ids=["by names", "by ids"])
def test_the_story_in_traces_gives_the_views_of_the_commanded_one(
    grant: Grant, commanded: list[dict[str, Rows]]
) -> None:
    imported = list(_imported(_chapters(grant)))
    for number, (views, consents) in enumerate(imported):
        for view, rows in views.items():
            expected = commanded[number][view]
            if view == "authorizations" and number == len(imported) - 1:
                expected = {(region, "asm", "revoked") for region in (BEIJING, SINGAPORE)}
            assert rows == expected, (number, view)
        assert {row["origin"] for row in consents} == {"inferred"}
        assert {row["actor_name"] for row in consents} == {"harbour/olga"}
    works = [{row[4] for row in views["capabilities"]} for views, _ in imported]
    assert works == [{"works"}, {"works"}, {"works"}, {"broken"}]


@pytest.mark.parametrize("grant", [_named, _by_ids], ids=["by names", "by ids"])
def test_after_the_consent_in_traces_nothing_is_asked_and_nothing_is_refused(grant: Grant) -> None:
    first, *_ = _chapters(grant)
    with fresh() as cli:
        write(cli.folder, "t.json", "cts", [*_PROJECT_TRACES, *first])
        cli.done("import cts t.json")
        said = cli.done(f"console login {_ASM} --region {BEIJING} --user olga")
        assert "no dialog opens" in said.out
        said = cli.done(f"authorization grant {_ASM} --region {BEIJING}")
        assert "already authorized in cn-north-4 (inferred from" in said.err
        assert cli.done(f"feature use mesh {_ASM} --region {BEIJING} -o json").json
        links = cli.done(f"audit why --service asm --region {BEIJING} -o json").json
        events = ["AgencyCreated", "PolicyCreated", "PermissionGranted"]
        assert [row["event"] for row in links][:3] == events
