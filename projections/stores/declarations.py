"""Makes the tables of the views fit what the code declares.

Views can be rebuilt at any time, and are never the truth. Those of another history (a ledger that
was restored or replaced) are emptied, and caught up again.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from itertools import chain
from typing import Final

from ledger.catalogue import Catalogue
from ledger.errors import StoreUnavailable
from ledger.persistence.schema_difference import Difference
from projections.definitions.declared import FORMER_NAMES, PROJECTIONS, VIEWS
from projections.dialect import Dialect
from projections.history import tables
from projections.projection import EVENTS, Stored
from projections.stores import fact_index, name_index, time_index, trail
from projections.stores.connection import Connection
from projections.stores.tracking import Tracked, Tracking

_log: Final = logging.getLogger("authledger")


def schema(dialect: Dialect) -> tuple[str, ...]:
    """The statements that make the tables which belong to no projection."""
    # `fingerprint` is of the declaration, `anchor` of the entry at `position`.
    tracking = [
        ("name", "TEXT NOT NULL"),
        ("position", "INTEGER NOT NULL"),
        ("anchor", "TEXT NOT NULL"),
        ("fingerprint", "TEXT NOT NULL"),
        ("generation", "INTEGER NOT NULL"),
        ("rebuilt_at", "TEXT"),
    ]
    features = [
        *((name, "TEXT NOT NULL") for name in ("provider", "service", "feature", "agency")),
        ("preference", "INTEGER NOT NULL"),
        ("needs", "TEXT NOT NULL"),
    ]
    policies = [
        *((name, "TEXT NOT NULL") for name in ("provider", "service", "baseline", "agency")),
        ("trustee", "TEXT NOT NULL"),
        ("policy", "TEXT NOT NULL"),
        ("together", "INTEGER NOT NULL"),  # How many policies the baseline gives this agency.
        ("in_all", "INTEGER NOT NULL"),  # How many it gives all of its agencies.
    ]
    rights = [
        (name, "TEXT NOT NULL") for name in ("provider", "service", "baseline", "agency", "uses")
    ]
    return (
        dialect.table("tracking", tracking, ["name"]),
        dialect.table("catalogue", [("version", "TEXT NOT NULL")], ["version"]),
        dialect.table(
            "catalogue_features", features, ["provider", "agency", "feature", "needs", "service"]
        ),
        dialect.table(
            "catalogue_policies",
            policies,
            ["provider", "agency", "policy", "service", "baseline"],
        ),
        dialect.table(
            "catalogue_rights", rights, ["provider", "agency", "uses", "service", "baseline"]
        ),
        *trail.tables(dialect),
        *time_index.tables(dialect),
        *fact_index.tables(dialect),
        *name_index.tables(dialect),
    )


def _select(name: str, dialect: Dialect) -> str:
    """The SELECT of a derived view."""
    return _rendered(VIEWS[name].select, dialect)


@lru_cache
def _rendered(select: Callable[[Dialect], str], dialect: Dialect) -> str:
    return select(dialect)


class Declarations:
    """Compares the tables with the declared projections, and makes them fit."""

    def __init__(self, connection: Connection, tracking: Tracking) -> None:
        self._connection, self._tracking = connection, tracking

    def catalogue_version(self) -> str | None:
        """The version of the catalogue that the views were made with."""
        found = self._connection.value("SELECT version FROM catalogue")
        return None if found is None else str(found)

    def is_current(self, catalogue: Catalogue, *, thoroughly: bool = False) -> bool:
        """Whether all tables fit: definitions, declarations, catalogue and history are the same."""
        return (
            self.catalogue_version() == catalogue.version
            and self._fits()
            and not self._connection.altered(self._definitions, thoroughly=thoroughly)
        )

    def check(self) -> None:
        """Raises StoreUnavailable if another version of the program made the tables."""
        if not self._fits():
            raise StoreUnavailable(
                "The views were made by another version of the program, and this connection may "
                "not rebuild them.",
                remedy="On the primary, the owner of the views runs "
                "`authledger projection catch-up`.",
            )

    def apply(self, catalogue: Catalogue) -> None:
        """Make the tables fit. Those that do not are emptied; the next catch-up fills them.

        If another program has altered a definition, it is made anew, and a warning names it.
        """
        # Those of another version of the program differ as well, and are not altered.
        if self._fits() and (
            altered := self._connection.altered(self._definitions, thoroughly=True)
        ):
            self._make_anew(altered)
        self._drop_derived_views()
        known, others = self._tracking.rows()
        for name in others:
            self._connection.execute("DELETE FROM tracking WHERE name = ?", (name,))
        for name in self._unfit(known):
            if known[name].anchor != self._anchor_of(known[name]):
                trail.clear(self._connection)
                time_index.clear(self._connection)
                fact_index.clear(self._connection)
                name_index.clear(self._connection)
            self._drop(known.pop(name))
        for projection in PROJECTIONS.values():
            if projection.name not in known:
                self._create(projection)
        self._insert_catalogue(catalogue)
        self._create_derived_views()

    def _definitions(self) -> list[str]:
        """The statements that make all tables, indexes and views as they should be now."""
        dialect, known = self._connection.dialect, self._tracking.tracked()
        return [
            *schema(dialect),
            *chain.from_iterable(
                (
                    tables.create_table(projection, table, dialect),
                    *tables.create_indexes(projection, table),
                    *tables.create_views(projection, table, dialect),
                )
                for name, projection in PROJECTIONS.items()
                if name in known
                for table in (known[name].table,)
            ),
            *self._derived_views(),
        ]

    def _make_anew(self, altered: Sequence[Difference]) -> None:
        """Make everything anew: rows written through an altered definition may be wrong."""
        _log.warning(
            "Another program has altered the views of the ledger, so they are made anew: %s.",
            ", ".join(each.what for each in altered),
        )
        self._connection.make_anew()

    def _fits(self) -> bool:
        known, others = self._tracking.rows()
        return not others and known.keys() == PROJECTIONS.keys() and not self._unfit(known)

    def _unfit(self, known: Mapping[str, Tracked]) -> list[str]:
        """The projections whose tables are of another declaration, or of another history."""
        anchors = {each.position: each for each in known.values()}
        found = {position: self._anchor_of(each) for position, each in anchors.items()}
        return [
            each.name
            for each in known.values()
            if each.anchor != found[each.position]
            or each.name not in PROJECTIONS
            or each.fingerprint != self._fingerprint(PROJECTIONS[each.name])
        ]

    def _fingerprint(self, projection: Stored) -> str:
        """A digest of the projection's declaration and of the derived views over it.

        So a derived view that was added or changed is made anew, together with the projection.
        """
        selects = [
            _select(name, self._connection.dialect)
            for name in self._derived()
            if projection.name in VIEWS[name].projections
        ]
        if not selects:
            return projection.fingerprint
        content = "\n".join((projection.fingerprint, *selects))
        return hashlib.sha256(content.encode()).hexdigest()[:16]

    def _anchor_of(self, known: Tracked) -> str | None:
        return self._tracking.anchor(known.position) if known.position else ""

    def _derived(self) -> list[str]:
        """The views over projections that are stored. All others are made with the connection, and
        those over the events alone with the schema.
        """
        events_too = self._connection.dialect.stores_views_of_events
        return [
            name
            for name, view in VIEWS.items()
            if not view.is_of_events_alone and (events_too or EVENTS not in view.over)
        ]

    def _drop_derived_views(self) -> None:
        former = ((name, f"{name}_history") for name in FORMER_NAMES)
        for name in (*self._derived(), *chain.from_iterable(former)):
            self._connection.execute(f"DROP VIEW IF EXISTS {name}")

    def _create_derived_views(self) -> None:
        for statement in self._derived_views():
            self._connection.execute(statement)

    def _derived_views(self) -> list[str]:
        dialect = self._connection.dialect
        return [
            *(f"CREATE VIEW {name} AS {_select(name, dialect)}" for name in self._derived()),
            *(
                f"CREATE VIEW {former}{end} AS SELECT * FROM {name}{end}"
                for former, name in FORMER_NAMES.items()
                for end in ("", "_history")
            ),
        ]

    def _create(self, projection: Stored) -> None:
        table = f"{projection.name}_1"
        self._drop_objects(projection.name, table)  # Made by an older version, perhaps.
        self._connection.execute(tables.create_table(projection, table, self._connection.dialect))
        for statement in tables.create_indexes(projection, table):
            self._connection.execute(statement)
        self._connection.execute(
            "INSERT INTO tracking VALUES (?, 0, '', ?, 1, NULL)",
            (projection.name, self._fingerprint(projection)),
        )
        for statement in tables.create_views(projection, table, self._connection.dialect):
            self._connection.execute(statement)

    def _drop(self, known: Tracked) -> None:
        self._drop_objects(known.name, known.table)
        self._connection.execute("DELETE FROM tracking WHERE name = ?", (known.name,))

    def _drop_objects(self, name: str, table: str) -> None:
        stored = self._connection.dialect.stored
        for statement in (
            f"DROP VIEW IF EXISTS {stored.format(name)}",
            f"DROP VIEW IF EXISTS {name}_history",
            f"DROP TABLE IF EXISTS {table}",
        ):
            self._connection.execute(statement)

    def _insert_catalogue(self, catalogue: Catalogue) -> None:
        self._connection.execute("DELETE FROM catalogue")
        self._connection.execute("INSERT INTO catalogue VALUES (?)", (catalogue.version,))
        self._connection.execute("DELETE FROM catalogue_features")
        self._connection.insert(
            "catalogue_features",
            ("provider", "service", "feature", "agency", "preference", "needs"),
            [
                (service.provider, service.code, feature.name, agency, preference, code)
                for service in catalogue.services
                for feature in service.features
                for preference, agency in enumerate(service.agency_names())
                for code in feature.needs
            ],
        )
        self._insert_baselines(catalogue)

    def _insert_baselines(self, catalogue: Catalogue) -> None:
        """The policies of each dated baseline, and the services that these permit together."""
        self._connection.execute("DELETE FROM catalogue_policies")
        self._connection.execute("DELETE FROM catalogue_rights")
        entries = [
            ((service.provider, service.code, str(baseline.since), entry.name), baseline, entry)
            for service in catalogue.services
            for baseline in service.baselines
            for entry in baseline.agencies
            if entry.policies
        ]
        key = ("provider", "service", "baseline", "agency")
        self._connection.insert(
            "catalogue_policies",
            (*key, "trustee", "policy", "together", "in_all"),
            [
                (*place, entry.trustee, policy, len(entry.policies), baseline.policy_count)
                for place, baseline, entry in entries
                for policy in entry.policies
            ],
        )
        self._connection.insert(
            "catalogue_rights",
            (*key, "uses"),
            [(*place, code) for place, _, entry in entries for code in entry.services],
        )
