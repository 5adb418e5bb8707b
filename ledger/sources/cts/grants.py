"""CTS traces that grant or revoke an agency's permissions → facts, by the scope of the grant.

| trace | scope | region |
|---|---|---|
| (un)assignRoleToAgencyOnProject | a project: a region's, or a sub-project | the project's name |
| (un)assignRoleToAgencyOnDomain, update-/deleteAgencyGrants | global services only | `global` |
| update-/deleteAgencyInheritedGrants | all projects, present and future | `*` |
| attach-/detachAgencyPolicyV5 | no region; its policy may limit itself | `*` |
| updateAgencyAssignsByRole, updateagenciesRolesByConsole | several at once | unknown |

A default project has its region's name. A sub-project `<region>_<name>` is another project: a grant
on one does not hold on the other. If a trace has only the project's id, the region is unknown.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from ledger.account.permissions import (
    PermissionChangeRefused,
    PermissionGranted,
    PermissionRevoked,
    PermissionsChanged,
)
from ledger.messages import DomainEvent
from ledger.sources.cts.agencies import NO_AGENCY, agency_of
from ledger.sources.cts.trace import GLOBAL_SERVICES, CtsTrace
from ledger.sources.fields import mapping, text
from ledger.values import ALL_REGIONS

Facts = tuple[DomainEvent, ...]
Scope = Callable[[CtsTrace], str | None]
"""Returns the region of a grant; None if the trace does not have it."""

_project_name = re.compile(r"[a-z]{2}-[a-z]+-\d+(?:_[^\s:*/]+)?", re.ASCII)
_ROLE_NAMES: Final = (
    "role.display_name",
    "display_name",
    "role_name",
    "roleName",
    "role.name",
    "policy_name",
    "policyName",
)
_ROLE_IDS: Final = ("role.id", "role_id", "roleId", "policy_id", "policyId")


def _of_project(trace: CtsTrace) -> str | None:
    named = trace.text_at("project.name", "project_name", "projectName", "region_id", "region")
    if named:
        return named
    candidates = (
        trace.resource_name if trace.resource_type == "roleagencyproject" else None,
        trace.after("projects"),
    )
    return next((name for name in candidates if name and _project_name.fullmatch(name)), None)


def _always(region: str | None) -> Scope:
    return lambda _: region


_of_global_services = _always(GLOBAL_SERVICES)
_of_all_projects = _always(ALL_REGIONS)
_unknown_scope = _always(None)


def _roles(trace: CtsTrace) -> list[str]:
    """The roles or policies, each by its name; by its id if the trace has no name."""
    listed = trace.request.get("roles") or trace.response.get("roles")
    if isinstance(listed, list):
        items = [mapping(item) for item in listed]
        keys = ("display_name", "name", "role_name", "id", "role_id")
        found = [next((t for key in keys if (t := text(item.get(key)))), None) for item in items]
        return sorted({role for role in found if role}) if all(found) else []
    role = trace.text_at(*_ROLE_NAMES) or trace.text_at(*_ROLE_IDS)
    role = role or trace.after("roles") or trace.after("policies")
    return [role] if role else []


def _change(
    event: type[PermissionGranted | PermissionRevoked] | None, scope: Scope
) -> Callable[[CtsTrace], Facts | str]:
    """A translator; without an event, for traces that only say that something changed."""

    def change(trace: CtsTrace) -> Facts | str:
        agency = agency_of(trace)
        if agency is None:
            return NO_AGENCY
        region, roles = scope(trace), _roles(trace)
        only = roles[0] if len(roles) == 1 else None
        if not trace.succeeded:
            refused = PermissionChangeRefused(
                agency=agency, region=region, policy=only, why=trace.why()
            )
            return (refused,)
        if event is None or region is None or not roles:
            detail = f"{trace.name}{_missing(trace, region, roles) if event else ''}"
            return (PermissionsChanged(agency=agency, region=region, policy=only, detail=detail),)
        return tuple(event(agency=agency, region=region, policy=role) for role in roles)

    return change


def _missing(trace: CtsTrace, region: str | None, roles: list[str]) -> str:
    """The parts that the trace does not name, and the project's id if it has one."""
    project = text(trace.after("projects"))
    missing = [
        None if region else f"project {project}" if project else "project not named",
        None if roles else "role not named",
    ]
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
    "updateAgencyAssignsByRole": _change(None, _unknown_scope),
    "updateagenciesRolesByConsole": _change(None, _unknown_scope),
}
