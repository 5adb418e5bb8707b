"""For any imported history: decisions and views say the same of each thing, now.

More examples: `AGREEMENT_EXAMPLES=5000 pytest tests/projections/test_decisions_agree.py`.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.account.agency import (
    AgencyCreated,
    AgencyDeleted,
    AgencyDeletionFailed,
    AgencyDeletionRequested,
    AgencyExpiryChanged,
    AgencyTrustChanged,
)
from ledger.account.answers import PermissionKey
from ledger.account.facts import fact_of
from ledger.account.permissions import PermissionGranted, PermissionRevoked, PermissionsChanged
from ledger.account.policy import PolicyChanged, PolicyCreated, PolicyDeleted
from ledger.account.project import ProjectCreated, ProjectDeleted
from ledger.account.questions import Account
from ledger.account.truth.rules import rules_of
from ledger.account.usage import TemporaryCredentialIssued
from ledger.account.uses import Uses, inform, uses_of
from ledger.messages import DomainEvent, Observation, Provenance
from ledger.values import instant
from tests.projections.test_properties import new_world, views_of
from tests.projections.worlds import ACCOUNTS, BEGINNING, World

EXAMPLES = int(os.environ.get("AGREEMENT_EXAMPLES", "60"))
ACCOUNT = ACCOUNTS[0]
SUREST = ("exists", "deletion asked for", "expired", "not known")
Row = dict[str, Any]


def _stated_by(draw: st.DrawFn, name: str, *names: str) -> dict[str, str]:
    """A thing as a trace tells it: by its name, by its id, or by both."""
    chosen, number = draw(st.sampled_from(names)), draw(st.integers(1, 2))
    stated = {name: chosen, f"{name}_id": f"{name}-{number}"}
    left = draw(st.sampled_from((name, f"{name}_id", "both", "both")))
    return stated if left == "both" else {left: stated[left]}


def _agency(draw: st.DrawFn, *spelled: str) -> dict[str, str]:
    """One of three agencies; two had the same name. No cloud renames an agency.

    `spelled`: the spellings of that name; a cloud for which they differ knows one only.
    """
    number = draw(st.integers(1, 3))
    name = "ops" if number == 3 else draw(st.sampled_from(spelled))
    stated = {"agency": name, "agency_id": f"agency-{number}"}
    left = draw(st.sampled_from(("agency", "agency_id", "both", "both")))
    return stated if left == "both" else {left: stated[left]}


def _permission(draw: st.DrawFn, *spelled: str) -> dict[str, Any]:
    place = draw(
        st.sampled_from(
            (
                {"region": "*"},
                {"region": "eu"},
                {"project_id": "p-1"},
                {"region": "eu", "project_id": "p-1"},
                {"region": "af"},
            )
        )
    )
    service = draw(st.sampled_from((None, None, "cce")))
    return {
        **_agency(draw, *spelled),
        **_stated_by(draw, "policy", "read", "write"),
        **place,
        "service": service,
    }


@st.composite
def events(draw: st.DrawFn, *spelled: str) -> Any:
    kind: Any = draw(st.sampled_from((*_OF_AGENCY, PermissionGranted, PermissionRevoked, *_OTHERS)))
    if kind in (PermissionGranted, PermissionRevoked):
        return kind.model_validate(_permission(draw, *spelled))
    if kind is PermissionsChanged:
        stated = _permission(draw, *spelled)
        del stated["service"]
        return kind.model_validate({**stated, "detail": "changed"})
    if kind in (PolicyCreated, PolicyChanged, PolicyDeleted):
        stated = _stated_by(draw, "policy", "read", "write")
        return kind.model_validate({"policy": "read"} | stated if kind is PolicyCreated else stated)
    if kind in (ProjectCreated, ProjectDeleted):
        return kind.model_validate({"region": "eu", "project_id": "p-1"})
    stated = _agency(draw, *spelled)
    more: dict[str, Any] = {}
    if kind is AgencyCreated:
        stated = {"agency": "ops" if stated.get("agency_id") == "agency-3" else "ci"} | stated
    if kind in (AgencyCreated, AgencyTrustChanged):
        more["trustee"] = draw(st.sampled_from(("account:d1", "account:n1", "service:cbr")))
    if kind in (AgencyCreated, AgencyExpiryChanged):
        at = draw(st.sampled_from((None, 3, 900, 10**8)))
        more["expires_at"] = None if at is None else BEGINNING + timedelta(seconds=at)
    if kind in (AgencyDeleted, AgencyDeletionRequested, AgencyDeletionFailed):
        more["task"] = draw(st.sampled_from((None, "t1", "t2")))
    return kind.model_validate({**stated, **more})


@st.composite
def uses(draw: st.DrawFn) -> DomainEvent:
    """A use. Its stream has the name as it is spelled, so that decisions spell it in that way."""
    stated = _agency(draw, "ci")
    return TemporaryCredentialIssued.model_validate({**stated, "region": "eu"})


_OF_AGENCY: tuple[type[DomainEvent], ...] = (
    AgencyCreated,
    AgencyCreated,
    AgencyDeleted,
    AgencyDeletionRequested,
    AgencyDeletionFailed,
    AgencyExpiryChanged,
    AgencyTrustChanged,
)
_OTHERS: tuple[type[DomainEvent], ...] = (
    PermissionGranted,
    PermissionsChanged,
    PolicyCreated,
    PolicyChanged,
    PolicyDeleted,
    ProjectCreated,
    ProjectDeleted,
)


@st.composite
def imports(draw: st.DrawFn) -> tuple[str, list[list[Observation]]]:
    """Traces of a cloud, in any order and grouping, some twice, several within one second."""
    provider = draw(st.sampled_from(("aws", "huaweicloud")))
    event = events("ci", "CI") if provider == "aws" else events("ci")
    stated = draw(
        st.lists(
            st.one_of(
                st.lists(event, min_size=1, max_size=2),
                st.lists(event, min_size=1, max_size=2),
                st.lists(uses(), min_size=1, max_size=1),
            ),
            min_size=1,
            max_size=9,
        )
    )
    traces = [
        Observation(
            provider=provider,
            account=ACCOUNT,
            events=tuple(each),
            effective_at=BEGINNING + timedelta(seconds=draw(st.integers(0, 6))),
            source=Provenance(trace_id=f"trace-{number}"),
            actor=draw(st.sampled_from(("alice", "bob"))),
        )
        for number, each in enumerate(stated)
    ]
    traces += draw(st.lists(st.sampled_from(traces), max_size=2))
    groups: list[list[Observation]] = []
    for trace in draw(st.permutations(traces)):
        if not groups or draw(st.booleans()):
            groups.append([])
        groups[-1].append(trace)
    return provider, groups


@given(imports())
@settings(max_examples=EXAMPLES, derandomize=EXAMPLES == 60)  # New ones are searched for apart.
def test_decisions_and_views_say_the_same_of_each_thing(
    imported: tuple[str, list[list[Observation]]],
) -> None:
    provider, groups = imported
    with new_world() as made, views_of(made) as views:
        for group in groups:
            made.ledger.observe(group)
            views.catch_up()
        rows = {name: views.read(name).dicts() for name in ("agencies", "regions", "policies")}
        for name, own in _by_name(rows["agencies"], "agency", provider).items():
            account = _known(made, provider, name)
            agency = account.agency(name)
            assert agency is not None
            assert (agency.status, agency.since) in list(_surest(own)), name
            granted = [row for row in rows["regions"] if row["status"] == "granted"]
            mine = _by_name(granted, "agency", provider).get(name, [])
            shown = sorted((row["region"], row["service"], row["policy"]) for row in mine)
            assert sorted(map(_stated, account.open_permissions(name))) == shown, name
        account = made.ledger.account(provider, ACCOUNT)
        for name, own in _by_name(rows["policies"], "policy", provider).items():
            policy = account.policy(name)
            assert policy is not None
            assert (policy.status, policy.since) in list(_surest(own)), name


def _known(made: World, provider: str, agency: str) -> Account:
    """The account as a decision knows it that names the agency."""
    state = made.ledger.account(provider, ACCOUNT).state

    def read(handle: str) -> Uses:
        uses = Uses(provider, ACCOUNT, handle)
        for entry in made.ledger.stream(uses.stream):
            uses.learn(entry.version, fact_of(entry, entry.version))
        return uses

    found = uses_of(state, agency, read)
    now = made.ledger.clock()
    return Account(state, state.next_instant(now, inform(state, found)))


def _by_name(rows: Sequence[Row], column: str, provider: str) -> dict[str, list[Row]]:
    """The rows of each name, as the cloud compares names; without a name, of each id."""
    found: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        found[rules_of(provider).slot(row[column])].append(row)
    return found


def _surest(rows: Sequence[Row]) -> Iterator[tuple[str, Any]]:
    """Status and time of the rows that say most surely that the thing is there."""
    ranks = [SUREST.index(row["status"]) if row["status"] in SUREST else 9 for row in rows]
    for row, rank in zip(rows, ranks, strict=True):
        if rank == min(ranks):
            yield row["status"], row["since"] and instant(row["since"])


def _stated(key: PermissionKey) -> tuple[str, str, str]:
    return key.place or "not known", key.service or "", key.policy or key.policy_id or ""
