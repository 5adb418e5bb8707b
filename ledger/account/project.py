"""Projects: the parts of an account that permissions are granted on; each lies in one region."""

from __future__ import annotations

from ledger.account.decision import Decisions
from ledger.account.meaning import ON_RECORD_ONLY, THE_PROJECT, Meaning, Meanings, Says
from ledger.messages import DomainEvent
from ledger.values import Line, Region


class ProjectCreated(DomainEvent):
    """A project exists from now on. `region` is its name: a region's, or `<region>_<name>`."""

    TOPIC = "ProjectCreated.v1"

    region: Region
    project_id: Line | None = None


class ProjectChanged(DomainEvent):
    """The project was changed. `region` is its name after that."""

    TOPIC = "ProjectChanged.v1"

    region: Region | None = None
    project_id: Line | None = None
    detail: Line | None = None


class ProjectDeleted(DomainEvent):
    """The project is gone, and with it every permission on it."""

    TOPIC = "ProjectDeleted.v1"

    region: Region | None = None
    project_id: Line | None = None


def _called(event: ProjectChanged | ProjectDeleted) -> str:
    return event.region or event.project_id or "(not named)"


DECIDE: Decisions = {}
EVENTS: Meanings = {
    ProjectCreated: Meaning(
        lambda event, who: f"{who} created the project {event.region}",
        ON_RECORD_ONLY,
        role="change",
        says=Says("created", "project", THE_PROJECT),
    ),
    ProjectChanged: Meaning(
        lambda event, who: f"{who} changed the project {_called(event)}",
        ON_RECORD_ONLY,
        role="change",
        says=Says("renamed", "project", THE_PROJECT),
    ),
    ProjectDeleted: Meaning(
        lambda event, who: f"{who} deleted the project {_called(event)}",
        ON_RECORD_ONLY,
        role="change",
        says=Says("deleted", "project", THE_PROJECT),
    ),
}
