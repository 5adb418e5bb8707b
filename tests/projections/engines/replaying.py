"""Ledgers on which all engines must agree, and the engines as tests use them."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from benchmarks import generator
from cli.main import app
from ledger.account.agency import AgencyCreated, AgencyDeleted, AgencyTrustChanged
from ledger.account.permissions import PermissionGranted, PermissionRevoked
from ledger.account.policy import PolicyCreated, PolicyDeletionAttempted
from ledger.account.usage import TemporaryCredentialIssued
from ledger.application import Ledger
from ledger.catalogue import load_catalogue
from ledger.messages import DomainEvent, Observation, Provenance
from ledger.sources import SOURCES, ImportReport, read_traces
from projections.engines import Engine, EngineName, open_engine
from projections.engines.replay import replay
from projections.export.events import events_of
from projections.export.exporter import ExportedFolder, export_folder
from projections.export.formats.parquet import FORMAT as PARQUET
from projections.maintenance.runner import Certificate
from projections.views import Views
from tests.ledger.worlds import Place

GENERATED = 20_000
CLUSTER = "local-cluster[2,1,1024]"
"""Two workers in processes of their own, with one core and 1 GB each."""

FIRST = datetime.min.replace(tzinfo=UTC)
LAST = datetime.max.replace(tzinfo=UTC)
# By code units of UTF-16 the second stands before the first, by bytes of UTF-8 after it.
NAMES = (
    "\uffee",
    "\U0001f600",
    "مفوض",
    "代理",
    "é",
    "e\u0301",
    "z",
    "Z",
    "'",
    '"',
    "\\",
    "%_",
    " ",
)
LONG = "\U0001f600" * 128
ACCOUNTS = ("0a1b2c3d4e5f", "a", "Z", "a.b", "a-b", "A")
"""The first one has most facts. In the order of a language, `a` would come before `Z`."""


@dataclass(frozen=True, slots=True)
class Replayable:
    """A ledger, and an export of all of it."""

    ledger: Place
    export: Path


def exported(ledger: Place, folder: Path, buckets: int | None = None) -> ExportedFolder:
    opened = Ledger(ledger, create=False)
    try:
        return export_folder(PARQUET, events_of(opened), folder, buckets=buckets)
    finally:
        opened.close()


def replayed(made: Replayable, engine: Engine, names: Iterable[str] | None = None) -> Certificate:
    opened = Ledger(made.ledger, create=False)
    try:
        with Views.open(made.ledger, load_catalogue()) as views:
            return replay(events_of(opened), views, made.export, engine, names=names)
    finally:
        opened.close()


def rebuilt(made: Replayable) -> Certificate:
    with Views.open(made.ledger, load_catalogue()) as views:
        return views.rebuild()


def digests(certificate: Certificate) -> dict[str, tuple[int, int, str]]:
    """The parts of a certificate that must be equal on all engines. Of a replay, the export takes
    the place of the trail.
    """
    return {
        part.name: (part.last_position, part.rows, part.digest_after)
        for part in certificate.projections
        if part.name != "trail"
    }


# -- ledgers -------------------------------------------------------------------------------------


def story(folder: Path, _: Path) -> Path:
    """The reference story, as `authledger demo` plays it."""
    assert CliRunner().invoke(app, ["demo", "--ledger-dir", str(folder)]).exit_code == 0
    return folder / "ledger.db"


def real_traces(folder: Path, shared: Path) -> Path:
    """Traces of other people's accounts, of both clouds, imported."""
    ledger = Ledger(folder / "ledger.db")
    for source, paths in (
        ("cloudtrail", sorted((shared / "cloudtrail-invictus").glob("*.json"))),
        ("cloudtrail", sorted((shared / "cloudtrail-traildiscover").glob("*.json"))),
        ("cts", sorted(path for path in (shared / "cts").rglob("*.json*"))),
    ):
        traces = read_traces(
            SOURCES[source],
            paths,
            ImportReport(),
            now=datetime(2026, 1, 1, tzinfo=UTC),
            on_progress=lambda _: None,
        )
        ledger.observe(traces)
    ledger.close()
    return folder / "ledger.db"


def odd(folder: Path, _: Path) -> Path:
    """Names in many scripts, NULLs, the longest values, times at the edge and equal ones."""
    ledger = Ledger(folder / "ledger.db", clock=lambda: LAST)
    for number, (event, at) in enumerate(_oddities()):
        ledger.observe(
            [
                Observation(
                    provider="huaweicloud",
                    account=ACCOUNTS[0] if number % 2 else ACCOUNTS[number % len(ACCOUNTS)],
                    events=(event,),
                    effective_at=at,
                    source=Provenance(trace_id=f"trace-{number}", file=LONG),
                    actor=None if number % 3 else NAMES[number % len(NAMES)].strip() or None,
                )
            ]
        )
    ledger.close()
    return folder / "ledger.db"


def _oddities() -> list[tuple[DomainEvent, datetime]]:
    noon = datetime(2026, 3, 1, 12, tzinfo=UTC)
    facts: list[tuple[DomainEvent, datetime]] = []
    for name in (*NAMES, LONG):
        facts += [
            (AgencyCreated(agency=name), noon),
            (AgencyTrustChanged(agency=name, trustee="账" * 2_048), noon.replace(microsecond=1)),
            (AgencyDeleted(agency=name), noon.replace(microsecond=999_999)),
            (AgencyCreated(agency=name, agency_id=name.strip() or "x"), FIRST),  # Late: history.
            (PolicyCreated(policy=name * (512 // len(name))), LAST),
            (PermissionGranted(agency=name, region="*", service=None, policy=None), noon),
            (PermissionRevoked(agency=name, region="*", service=None, policy=None), noon),
            (
                PermissionGranted(agency=name, region=f"مركز-{name.strip()}"[:128], policy=name),
                LAST,
            ),
            (TemporaryCredentialIssued(agency=name, region="cn-north-4"), FIRST),
            (TemporaryCredentialIssued(agency=name, region="cn-north-4"), LAST),
            (TemporaryCredentialIssued(agency=name, region="cn-north-4"), noon),
            (PolicyDeletionAttempted(policy=name, outcome="refused"), noon),
        ]
    return facts


def generated(folder: Path, _: Path) -> Path:
    """An ordinary ledger."""
    generator.build(folder / "ledger.db", GENERATED)
    return folder / "ledger.db"


def empty(folder: Path, _: Path) -> Path:
    Ledger(folder / "ledger.db").close()
    return folder / "ledger.db"


LEDGERS: Mapping[str, Callable[[Path, Path], Path]] = {
    "the reference story": story,
    "real traces": real_traces,
    "odd values": odd,
    "a generated ledger": generated,
    "an empty ledger": empty,
}


# -- engines -------------------------------------------------------------------------------------


def opened(name: EngineName) -> Engine:
    """An engine as tests use it: Spark as a cluster of processes, quick to start."""
    if name is EngineName.SPARK:
        if sys.version_info >= (3, 12):
            pytest.skip("Spark is installed for Python 3.11 alone; pyproject.toml says why")
        # Each process translates little and soon: none of them lives long.
        os.environ["JDK_JAVA_OPTIONS"] = "-XX:TieredStopAtLevel=1"
        try:
            return open_engine(name, CLUSTER)
        finally:
            del os.environ["JDK_JAVA_OPTIONS"]
    return open_engine(name)
