"""All projections and views, by name. A new one has a file of its own, and is listed here."""

from projections.definitions.activity import ACTIVITY
from projections.definitions.agencies import AGENCIES, BOUNDARIES, TRUSTEES
from projections.definitions.attempts import ATTEMPTS
from projections.definitions.audit_trail import AUDIT_TRAIL
from projections.definitions.authorizations import AUTHORIZATIONS
from projections.definitions.capabilities import CAPABILITIES
from projections.definitions.logins import LOGINS
from projections.definitions.policies import POLICIES
from projections.definitions.recorded_authorizations import RECORDED_AUTHORIZATIONS
from projections.definitions.regions import REGIONS
from projections.definitions.unused import UNUSED
from projections.definitions.usage import USAGE
from projections.projection import DerivedView, FoldedProjection, Projection, Stored

FOLDED: dict[str, FoldedProjection] = {
    REGIONS.name: REGIONS,
    AGENCIES.name: AGENCIES,
    TRUSTEES.name: TRUSTEES,
    BOUNDARIES.name: BOUNDARIES,
    POLICIES.name: POLICIES,
}
SELECTED: dict[str, Projection] = {
    RECORDED_AUTHORIZATIONS.name: RECORDED_AUTHORIZATIONS,
    LOGINS.name: LOGINS,
}
PROJECTIONS: dict[str, Stored] = {**FOLDED, **SELECTED}
FORMER_NAMES: dict[str, str] = {"region_agencies": "regions"}
"""By its former name, a view's name of today. A former name is accepted wherever a view is named,
in SQL as well (docs/decisions/0027-one-name-a-view.md)."""
RETIRED: tuple[str, ...] = (*FORMER_NAMES, ATTEMPTS.name, AUTHORIZATIONS.name, USAGE.name)
"""The names of projections that were removed or renamed: their tables are dropped if they exist.
No table is dropped because a database alone names it.
"""
VIEWS: dict[str, DerivedView] = {
    view.name: view
    for view in (AUTHORIZATIONS, USAGE, ACTIVITY, UNUSED, ATTEMPTS, CAPABILITIES, AUDIT_TRAIL)
}


def declared_name(name: str) -> str:
    """The name of a view as it is declared today; any other name is returned as it is."""
    return FORMER_NAMES.get(name, name)
