"""The things that a CTS trace names, each by its id, its name, or both.

Most calls of IAM have no body: their ids stand in the path alone. Only calls that create something
tell id and name together. No guide says which fields a trace of a grant has, so every field is read
that could name the thing.

| resource_type | its resource_id and resource_name |
|---|---|
| agency | the agency's |
| Policy, policy, role | the policy's |
| project | the project's |
| roleAgencyProject, roleAgencyDomain | the agency's, the role's or the project's |

No guide documents the last ones. The name is a project's if it has the shape of one. Else it is the
name of the role or the project whose id the resource has. Of an agency they count only if nothing
else in the trace names the agency.
"""

from __future__ import annotations

from functools import reduce
from typing import Final, NamedTuple

from ledger.sources.cts.trace import CtsTrace, Handles, handles, is_project, text_in
from ledger.sources.fields import mapping, text

AGENCY_IDS: Final = ("agency.id", "agency.agency_id", "agency_id", "agencyId")
AGENCY_NAMES: Final = ("agency.name", "agency.agency_name", "agency_name", "agencyName")
POLICY_IDS: Final = ("role.id", "role_id", "roleId", "policy.policy_id", "policy_id", "policyId")
POLICY_NAMES: Final = (
    "role.display_name",
    "display_name",
    "role_name",
    "roleName",
    "policy.policy_name",
    "policy_name",
    "policyName",
)
GENERATED_NAME: Final = "role.name"
"""IAM generates this name of a role; people grant the role by its display name. Beside an id it is
left out: as another name of the same id it would look like a renaming.
"""
_GENERATED: Final = "custom_"
"""The beginning of the names that IAM generates."""
PROJECT_IDS: Final = ("project.id", "project_id", "projectId")
PROJECT_NAMES: Final = ("project.name", "project_name", "projectName", "region_id", "region")
AGENCY_PATHS: Final = ("agencies", "service-linked-agencies")
POLICY_PATHS: Final = ("roles", "policies")


class Place(NamedTuple):
    """The place in which a permission holds: a project by its name, its id or both; or `*`."""

    region: str | None = None
    project_id: str | None = None

    @property
    def known(self) -> bool:
        return self.region is not None or self.project_id is not None


def agency_of(trace: CtsTrace) -> Handles:
    """The agency: from the bodies and the path, and from the resource if that is the agency."""
    named = stated_agency(trace)
    if trace.resource_type.startswith("role"):
        return named if named.known else _related(trace)
    if "agency" not in trace.resource_type:
        return named
    return _joined(named, _without(trace.resource, _policy_in_call(trace)))


def stated_agency(trace: CtsTrace) -> Handles:
    """The agency from the bodies and the path alone, whatever the trace is about."""
    identity = trace.text_at(*AGENCY_IDS) or trace.after(*AGENCY_PATHS)
    return handles(identity, trace.text_at(*AGENCY_NAMES))


def _related(trace: CtsTrace) -> Handles:
    """The resource of a grant, as far as it is not the role, the project or the account."""
    place = project_of(trace)
    others = (_policy_in_call(trace), Handles(place.project_id, place.region), (trace.account,))
    return reduce(_without, others, trace.resource)


def policy_of(trace: CtsTrace) -> Handles:
    """The role or policy: from the bodies and the path, and from the resource if it is a policy."""
    named = _policy_in_call(trace)
    generated = trace.text_at(GENERATED_NAME)
    if trace.resource_type in ("policy", "role"):
        resource = trace.resource
        named = _joined(named, resource if resource.name != generated else Handles(resource.id))
    return named if named.known else handles(None, generated)


def _policy_in_call(trace: CtsTrace) -> Handles:
    identity = trace.text_at(*POLICY_IDS) or trace.after(*POLICY_PATHS)
    return handles(identity, trace.text_at(*POLICY_NAMES) or _role_beside(trace, identity))


def _beside(trace: CtsTrace, identity: str | None) -> str | None:
    """The name of a grant's resource, if it has this id, and the agency is named elsewhere."""
    resource, agency = trace.resource, stated_agency(trace)
    is_grant = trace.resource_type.startswith("roleagency") and agency.known
    if not is_grant or identity is None or resource.id != identity:
        return None
    name, others = resource.name, (agency.name, trace.text_at(GENERATED_NAME))
    is_generated = name is not None and name.startswith(_GENERATED)
    return None if is_generated or name in others else name


def _role_beside(trace: CtsTrace, identity: str | None) -> str | None:
    """The same for a role. A name that has the shape of a project's is the project's."""
    name = _beside(trace, identity)
    return None if name is not None and is_project(name) else name


def policies_of(trace: CtsTrace) -> list[Handles]:
    """The roles that a grant lists, else the one that it names. One that is not named is empty."""
    listed = trace.request.get("roles") or trace.response.get("roles")
    if not isinstance(listed, list) or not listed:
        return [policy_of(trace)]
    return list(dict.fromkeys(_listed(item) for item in listed))


def _listed(item: object) -> Handles:
    """One role of a list. Its generated name counts only without any other."""
    named = _item(item, ("id", "role_id"), ("display_name", "role_name"))
    return named if named.known else _item(item, (), ("name",))


def _item(item: object, ids: tuple[str, ...], names: tuple[str, ...]) -> Handles:
    """The thing in an item of a list: an object, or its name or id alone."""
    thing = mapping(item)
    if not thing:
        return handles(None, text(item))
    return handles(text_in((thing,), *ids), text_in((thing,), *names))


def agencies_in(items: object) -> list[Handles]:
    """The agencies in a list, or in one item of it. Items that name none are left out."""
    listed = items if isinstance(items, list) else [items]
    found = (_item(item, ("id", "agency_id"), ("name", "agency_name")) for item in listed)
    return [agency for agency in found if agency.known]


def project_of(trace: CtsTrace) -> Place:
    """The project: from the bodies and the path, and from the resource if that is the project."""
    name, identity = trace.text_at(*PROJECT_NAMES), trace.text_at(*PROJECT_IDS)
    in_path = trace.after("projects")
    if in_path and is_project(in_path):
        name, in_path = name or in_path, None
    named = handles(identity or in_path, name)
    if trace.resource_type == "project":
        named = _joined(named, trace.resource)
    elif trace.resource_type == "roleagencyproject" and named.name is None:
        name = trace.resource.name
        is_name = name is not None and is_project(name)
        named = Handles(named.id, name if is_name else _beside(trace, named.id))
    return Place(named.name, named.id)


def _joined(named: Handles, resource: Handles) -> Handles:
    """The handles of a trace whose resource is the same thing; those of the call itself come first.

    A name in the place of the resource's id is not an id.
    """
    own_id = resource.id if resource.id != named.name else None
    return handles(named.id or own_id, named.name or resource.name)


def _without(resource: Handles, other: tuple[str | None, ...]) -> Handles:
    """The resource's handles, except those that the trace tells as another thing's."""
    return Handles(
        resource.id if resource.id not in other else None,
        resource.name if resource.name not in other else None,
    )
