"""CTS traces of IAM's projects → facts. A default project has the name of its region."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from ledger.account.project import ProjectChanged, ProjectCreated, ProjectDeleted
from ledger.messages import DomainEvent
from ledger.sources.cts.named import project_of
from ledger.sources.cts.trace import CtsTrace

NO_PROJECT: Final = "project not named"
REFUSED: Final = "refused"
"""A refused call leaves the project as it was, and changes nothing that an agency may do."""


def _create(trace: CtsTrace) -> DomainEvent | str:
    region, project_id = project_of(trace)
    if region is None:
        return _update(trace)
    if not trace.succeeded:
        return REFUSED
    return ProjectCreated(region=region, project_id=project_id)


def _update(trace: CtsTrace) -> DomainEvent | str:
    """Its name is the one after the change; the id stays."""
    place = project_of(trace)
    if not place.known:
        return NO_PROJECT
    if not trace.succeeded:
        return REFUSED
    return ProjectChanged(region=place.region, project_id=place.project_id, detail=trace.name)


def _delete(trace: CtsTrace) -> DomainEvent | str:
    place = project_of(trace)
    if not place.known:
        return NO_PROJECT
    if not trace.succeeded:
        return REFUSED
    return ProjectDeleted(region=place.region, project_id=place.project_id)


TRANSLATORS: Final[dict[str, Callable[[CtsTrace], DomainEvent | str]]] = {
    "createProject": _create,
    "updateProject": _update,
    "updateProjectStatus": _update,
    "deleteProject": _delete,
}
