"""CTS traces that grant or revoke an agency's permissions → facts, by the scope of the grant.

| trace | scope | place |
|---|---|---|
| (un)assignRoleToAgencyOnProject | a project: a region's, or a sub-project | its name, id or both |
| (un)assignRoleToAgencyOnDomain, update-/deleteAgencyGrants | global services only | `global` |
| update-/deleteAgencyInheritedGrants | all projects, present and future | `*` |
| attach-/detachAgencyPolicyV5 | no region; its policy may limit itself | `*` |
| …AgencyOnEnterpriseProject | an enterprise project | its id, as a project's |
| updateAgencyAssignsByRole, updateagenciesRolesByConsole | several at once | unknown |

A default project has its region's name. A sub-project `<region>_<name>` is another project: a grant
on one does not hold on the other. The path of a call is more exact than the trace's name: a call on
`…/inherited_to_projects` is about all projects.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final, NamedTuple

from ledger.account.permissions import (
    PermissionChangeRefused,
    PermissionGranted,
    PermissionRevoked,
    PermissionsChanged,
)
from ledger.messages import DomainEvent
from ledger.sources.cts.agencies import NO_AGENCY
from ledger.sources.cts.named import Place, agencies_in, agency_of, policies_of, project_of
from ledger.sources.cts.trace import GLOBAL_SERVICES, CtsTrace, Handles, handles, text_in
from ledger.sources.fields import mapping
from ledger.values import ALL_REGIONS, ENTERPRISE_PROJECT

Facts = tuple[DomainEvent, ...]
Scope = Callable[[CtsTrace], Place]
"""Returns the place of a grant; an empty one if the trace does not tell it."""
Change = type[PermissionGranted | PermissionRevoked] | None
"""The event of a grant; None for traces that only say that something changed."""


class Grant(NamedTuple):
    """One grant or revocation, as far as the trace tells it."""

    agency: Handles
    place: Place
    policy: Handles


def _scope(region: str | None) -> Scope:
    """The region that the trace's name implies; None: a project, which the trace tells."""

    def scope(trace: CtsTrace) -> Place:
        if "/inherited_to_projects" in str(trace.record.get("resource_url")):
            return Place(ALL_REGIONS)
        if region is None or trace.after("projects"):
            return project_of(trace)
        return Place(region)

    return scope


_of_project = _scope(None)
_of_global_services = _scope(GLOBAL_SERVICES)
_of_all_projects = _scope(ALL_REGIONS)


def _grants(trace: CtsTrace, scope: Scope) -> list[Grant]:
    """The grants that the trace tells, of those agencies that it names."""
    listed = trace.request.get("role_assignments")
    if isinstance(listed, list) and listed:
        return list(_assigned(trace, listed))
    place = scope(trace)
    return [
        Grant(agency, place, policy) for agency in _agencies(trace) for policy in policies_of(trace)
    ]


def _agencies(trace: CtsTrace) -> list[Handles]:
    """The agency; or the agencies, if the request lists several."""
    listed = agencies_in(trace.request.get("agencies"))
    agency = agency_of(trace)
    return listed or ([agency] if agency.known else [])


def _assigned(trace: CtsTrace, listed: list[Any]) -> Iterator[Grant]:
    """Grants on enterprise projects: each item has the ids of the three."""
    for item in map(mapping, listed):
        identity = text_in((item,), "agency_id")
        agency = handles(identity, None) if identity else agency_of(trace)
        if agency.known:
            place = _enterprise_project(text_in((item,), "enterprise_project_id"))
            yield Grant(agency, place, handles(text_in((item,), "role_id"), None))


def _enterprise_project(identity: str | None) -> Place:
    """Its place is a word of its own, and its id: under that alone older versions recorded it."""
    return Place(f"{ENTERPRISE_PROJECT}{identity}", identity) if identity else Place()


def _change(event: Change, scope: Scope) -> Callable[[CtsTrace], Facts | str]:
    def change(trace: CtsTrace) -> Facts | str:
        grants = _grants(trace, scope)
        if not grants:
            return NO_AGENCY
        if not trace.succeeded:
            return tuple(_refused(trace, grants))
        return tuple(_fact(event, trace, grant) for grant in grants)

    return change


def _refused(trace: CtsTrace, grants: list[Grant]) -> Iterator[DomainEvent]:
    """One attempt for each agency and place. It names the role if there is only one."""
    policies: dict[tuple[Handles, Place], list[Handles]] = {}
    for grant in grants:
        policies.setdefault((grant.agency, grant.place), []).append(grant.policy)
    for (agency, place), asked in policies.items():
        policy = asked[0] if len(asked) == 1 else Handles()
        yield PermissionChangeRefused(
            agency=agency.name,
            agency_id=agency.id,
            region=place.region,
            project_id=place.project_id,
            policy=policy.name,
            policy_id=policy.id,
            why=trace.why(),
        )


def _fact(event: Change, trace: CtsTrace, grant: Grant) -> DomainEvent:
    agency, place, policy = grant
    if event is None or not place.known or not policy.known:
        return PermissionsChanged(
            agency=agency.name,
            agency_id=agency.id,
            region=place.region,
            project_id=place.project_id,
            policy=policy.name,
            policy_id=policy.id,
            detail=f"{trace.name}{_missing(place, policy) if event else ''}",
        )
    return event(
        agency=agency.name,
        agency_id=agency.id,
        region=place.region,
        project_id=place.project_id,
        policy=policy.name,
        policy_id=policy.id,
    )


def _missing(place: Place, policy: Handles) -> str:
    """The parts that the trace does not name."""
    missing = (
        None if place.known else "project not named",
        None if policy.known else "role not named",
    )
    return f": {', '.join(word for word in missing if word)}"


TRANSLATORS: Final[dict[str, Callable[[CtsTrace], Facts | str]]] = {
    "assignRoleToAgencyOnProject": _change(PermissionGranted, _of_project),
    "unassignRoleToAgencyOnProject": _change(PermissionRevoked, _of_project),
    "assignRoleToAgencyOnDomain": _change(PermissionGranted, _of_global_services),
    "unassignRoleToAgencyOnDomain": _change(PermissionRevoked, _of_global_services),
    "updateAgencyGrants": _change(PermissionGranted, _of_global_services),
    "deleteAgencyGrants": _change(PermissionRevoked, _of_global_services),
    "updateAgencyInheritedGrants": _change(PermissionGranted, _of_all_projects),
    "deleteAgencyInheritedGrants": _change(PermissionRevoked, _of_all_projects),
    "attachAgencyPolicyV5": _change(PermissionGranted, _of_all_projects),
    "detachAgencyPolicyV5": _change(PermissionRevoked, _of_all_projects),
    # The guide's list has no trace of grants on enterprise projects; these are its API's names.
    "assignRoleToAgencyOnEnterpriseProject": _change(PermissionGranted, _of_project),
    "unassignRoleToAgencyOnEnterpriseProject": _change(PermissionRevoked, _of_project),
    "associateRoleToAgencyOnEnterpriseProject": _change(PermissionGranted, _of_project),
    "revokeRoleFromAgencyOnEnterpriseProject": _change(PermissionRevoked, _of_project),
    "updateAgencyAssignsByRole": _change(None, _of_project),
    "updateagenciesRolesByConsole": _change(None, _of_project),
}
