"""Traces of CTS: IAM's calls on agencies and policies, with names, or with ids in the path."""

from __future__ import annotations

import json
import uuid
from datetime import UTC, datetime
from typing import Any, Final

from tests.cases.case import Record

DOMAIN: Final = "0c5a1d0000000000000000000000dd01"
"""The account of all agencies here. Its name is `harbour`."""
_NAMES: Final = uuid.UUID("6f0f4a34-0a0b-4b63-9c0d-6a4a3f2c1b77")


def trace(name: str, at: str, **more: Any) -> Record:
    """A trace of a call at a time of 2025, such as `06-01T10:00:00`.

    `more`: `by` a user, and any field of a trace. The trace's id is a digest of all that.
    """
    by = more.pop("by", "olga")
    made = {
        "time": milliseconds(at),
        "user": {"id": f"u-{by}", "name": by, "domain": {"id": DOMAIN, "name": "harbour"}},
        "service_type": "IAM",
        "event_type": "system",
        "resource_type": "agency",
        "trace_name": name,
        "trace_rating": "normal",
        "trace_type": "ApiCall",
        "source_ip": "203.0.113.41",
        "domain_id": DOMAIN,
        "record_time": milliseconds(at) + 900,
        "code": "200",
        **more,
    }
    return {"trace_id": str(uuid.uuid5(_NAMES, json.dumps(made, sort_keys=True))), **made}


def milliseconds(at: str) -> int:
    return int(datetime.fromisoformat(f"2025-{at}").replace(tzinfo=UTC).timestamp()) * 1_000


def create_agency(agency: str, identity: str, at: str, **more: Any) -> Record:
    """The agency trusts `op_svc_cts`; `agency_fields` and `answer` add to the bodies."""
    asked = {"name": agency, "trust_domain_name": "op_svc_cts", **more.pop("agency_fields", {})}
    answer = {"id": identity, "name": agency, **more.pop("answer", {})}
    return trace(
        "createAgency",
        at,
        resource_name=agency,
        resource_id=identity,
        resource_url="/v3.0/OS-AGENCY/agencies",
        request={"agency": asked},
        response={"agency": answer},
        **more,
    )


def create_policy(policy: str, identity: str, at: str, **more: Any) -> Record:
    return trace(
        "createRole",
        at,
        resource_type="Policy",
        resource_name=policy,
        resource_id=identity,
        resource_url="/v3.0/OS-ROLE/roles",
        request={"role": {"display_name": policy, "type": "XA"}},
        response={"role": {"id": identity, "name": f"custom_{identity}", "display_name": policy}},
        **more,
    )


def on_project(name: str, at: str, *, agency: str, role: str, project: str, **more: Any) -> Record:
    """A grant or a revocation on a project, by ids in the path. `resource_name` may name more."""
    path = f"/v3.0/OS-AGENCY/projects/{project}/agencies/{agency}/roles/{role}"
    return trace(
        name,
        at,
        resource_type="roleAgencyProject",
        resource_url=path,
        code="204",
        **{"resource_id": agency, "request": "", "response": "", **more},
    )


def by_name(name: str, at: str, *, agency: str, role: str, project: str, **more: Any) -> Record:
    """The same by names, in the body."""
    return trace(
        name,
        at,
        resource_type="roleAgencyProject",
        resource_name=project,
        request={"agency_name": agency, "role_name": role, **more.pop("request", {})},
        **more,
    )


def in_scope(name: str, at: str, *, agency: str, role: str, **more: Any) -> Record:
    """A grant or a revocation on the domain or on all projects, by ids in the path."""
    inherited = "Inherited" in name
    root = "OS-INHERIT" if inherited else "OS-AGENCY"
    end = "/inherited_to_projects" if inherited else ""
    return trace(
        name,
        at,
        resource_id=agency,
        resource_url=f"/v3.0/{root}/domains/{DOMAIN}/agencies/{agency}/roles/{role}{end}",
        code="204",
        request="",
        response="",
        **more,
    )


def delete_agency(identity: str, at: str, **more: Any) -> Record:
    """By its id alone."""
    return trace(
        "deleteAgency",
        at,
        resource_name=identity,
        resource_id=identity,
        resource_url=f"/v3.0/OS-AGENCY/agencies/{identity}",
        code="204",
        **more,
    )


def delete_policy(identity: str, at: str, **more: Any) -> Record:
    """By its id alone."""
    return trace(
        "deleteRole",
        at,
        resource_type="Policy",
        resource_name=identity,
        resource_id=identity,
        resource_url=f"/v3.0/OS-ROLE/roles/{identity}",
        **more,
    )


def update_policy(policy: str, identity: str, at: str, **more: Any) -> Record:
    """The policy has its name from now on."""
    return trace(
        "updateRole",
        at,
        resource_type="Policy",
        resource_name=policy,
        resource_id=identity,
        resource_url=f"/v3.0/OS-ROLE/roles/{identity}",
        request={"role": {"display_name": policy, "type": "XA"}},
        response={"role": {"id": identity, "name": f"custom_{identity}", "display_name": policy}},
        **more,
    )


def create_project(project: str, identity: str, at: str, **more: Any) -> Record:
    return trace(
        "createProject",
        at,
        resource_type="project",
        resource_name=project,
        resource_id=identity,
        resource_url="/v3/projects",
        request={"project": {"name": project}},
        response={"project": {"id": identity, "name": project}},
        **more,
    )


def update_project(project: str, identity: str, at: str, **more: Any) -> Record:
    """The project has its name from now on."""
    return trace(
        "updateProject",
        at,
        resource_type="project",
        resource_name=project,
        resource_id=identity,
        resource_url=f"/v3/projects/{identity}",
        request={"project": {"name": project}},
        response={"project": {"id": identity, "name": project}},
        **more,
    )
