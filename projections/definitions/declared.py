"""All projections and views, by name; a new one is declared in its own file and listed here."""

from projections.definitions.agencies import AGENCIES, TRUSTEES
from projections.definitions.audit_trail import AUDIT_TRAIL
from projections.definitions.authorizations import AUTHORIZATIONS
from projections.definitions.capabilities import CAPABILITIES
from projections.definitions.policies import ATTEMPTS, POLICIES
from projections.definitions.region_agencies import REGION_AGENCIES
from projections.definitions.usage import LOGINS, USAGE
from projections.projection import DerivedView, Projection

PROJECTIONS: dict[str, Projection] = {
    projection.name: projection
    for projection in (
        REGION_AGENCIES,
        AGENCIES,
        TRUSTEES,
        POLICIES,
        AUTHORIZATIONS,
        USAGE,
        LOGINS,
        ATTEMPTS,
    )
}
RETIRED: tuple[str, ...] = ()
"""The names of projections that are gone or renamed: their tables are dropped where there are any.
No table is dropped by a name that stands in a database alone.
"""
VIEWS: dict[str, DerivedView] = {view.name: view for view in (CAPABILITIES, AUDIT_TRAIL)}
