"""Spark on an export: on the cluster of a master URL, or on this machine.

Only the driver is Python: it sends the queries and receives the sorted rows. Spark's own Java
processes compute, so that nothing of authledger needs to be installed on the cluster. The cluster's
machines read the folder by the same path as this one.
"""

from __future__ import annotations

import os
import re
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Final

from ledger.errors import StoreUnavailable
from projections.engines import EngineFailed, nothing
from projections.engines.folding import FACTS, PARTS_SCHEMA, PLACE, fold_batches, part_of
from projections.engines.java import java_home
from projections.engines.processes import BATCH, fold_on_all_cores
from projections.export.events import COLUMNS, INTEGERS
from projections.export.manifest import Manifest
from projections.maintenance.digest import Digest, digest_of_rows
from projections.maintenance.folded_present import Part
from projections.maintenance.present import sorted_present
from projections.maintenance.runner import code_version
from projections.projection import Projection

try:
    import pyarrow as pa
    import pyspark
    from py4j.protocol import Py4JError
    from pyspark import SparkContext
    from pyspark.errors import PySparkException
    from pyspark.sql import DataFrame, Row, SparkSession
except ImportError as error:
    raise StoreUnavailable(
        f"This engine needs the package {error.name}, which is not installed.",
        remedy="pip install 'authledger[spark]'",
    ) from error

MASTER: Final = "local[*]"
"""All cores of this machine, in one process."""
_SETTINGS: Final = {
    "spark.sql.ansi.enabled": "true",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.log.level": "ERROR",
}
_LOOPBACK: Final = {"spark.driver.host": "127.0.0.1", "spark.driver.bindAddress": "127.0.0.1"}
_LOCAL: Final = {**_LOOPBACK, "spark.sql.shuffle.partitions": "8"}
"""On this machine: not reachable from elsewhere, and few partitions."""
_CGROUPS: Final = Path("/sys/fs/cgroup")
_MEMORY: Final = "SPARK_DRIVER_MEMORY"
_LOG_SHOWN: Final = 2_000
_NO_JAVA: Final = re.compile(
    r"(Error occurred during init|Could not reserve|Invalid |Unrecognized)"
)
"""The messages of a Java that ends at once, because it cannot be started like this."""
_CAUSE: Final = re.compile(r"^Caused by: (.+)$", re.MULTILINE)
_EXCEPTION: Final = re.compile(r"(Exception in thread|Caused by:|Error:|\S+(Exception|Error):) ")


class Spark:
    """A Spark session, which ends with `close`."""

    version = f"spark {pyspark.__version__}"

    def __init__(self, master: str | None = None) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="authledger-spark-")
        self._log = Path(self._folder.name) / "spark.log"
        try:
            self._session = self._begun(master or MASTER)
        except BaseException:
            self.close()
            raise

    def _begun(self, master: str) -> SparkSession:
        """A session on the master. The output of its processes goes into a file."""
        temporary = Path(self._folder.name)
        variables = {
            "JAVA_HOME": str(java_home(temporary)),
            "SPARK_WORKER_DIR": str(temporary / "work"),
        }
        settings = dict(_SETTINGS)
        if master.startswith("local"):
            variables |= {"SPARK_LOCAL_IP": "127.0.0.1", "SPARK_LOCAL_HOSTNAME": "localhost"}
            # Here the driver computes. spark-defaults.conf takes precedence over the variable.
            variables |= {"PYSPARK_PYTHON": sys.executable}
            variables |= {_MEMORY: os.environ.get(_MEMORY) or f"{_memory_mb()}m"}
            settings |= _LOCAL
        builder = SparkSession.builder.master(master).appName("authledger")
        for name, value in settings.items():
            builder = builder.config(name, value)
        with _variables(variables), _output_into(self._log):
            try:
                return builder.getOrCreate()
            except (Py4JError, PySparkException) as failure:
                raise StoreUnavailable(
                    f"Spark did not start on {master}: {self._cause(failure)}.",
                    remedy="Check the master's URL and its log.",
                ) from failure

    def read(self, folder: Path, manifest: Manifest) -> None:
        columns = ", ".join(f"{name} {_type(name)}" for name in COLUMNS)
        files = [_location(folder.absolute() / each.path) for each in manifest.files()]
        try:
            if files:
                events = self._session.read.schema(columns).parquet(*files)
            else:
                events = self._session.sql(nothing("BIGINT", "STRING"))
            events.createOrReplaceTempView("events")
        except (Py4JError, PySparkException) as failure:
            raise _failed(failure) from failure

    def digest(self, projection: Projection) -> Digest:
        try:
            rows = self._session.sql(sorted_present(projection)).toLocalIterator()
            return digest_of_rows(projection, map(tuple, rows))
        except (Py4JError, PySparkException) as failure:
            raise _failed(failure) from failure

    def fold(self, names: Sequence[str]) -> Iterator[Part]:
        try:
            facts = self._session.sql(FACTS)
            if self._has_program():
                yield from self._folded_there(names, facts)
            else:
                rows = facts.orderBy(*PLACE).toLocalIterator()
                yield from fold_on_all_cores(names, _batches(rows))
        except (Py4JError, PySparkException) as failure:
            raise _failed(failure) from failure

    def _has_program(self) -> bool:
        """Whether this version of authledger is installed where Spark's tasks run."""
        try:
            found = _mapped(self._session.range(1), _version, "version string").collect()
        except (Py4JError, PySparkException):
            return False
        return [row.version for row in found] == [code_version()]

    def _folded_there(self, names: Sequence[str], facts: DataFrame) -> Iterator[Part]:
        """Fold in Spark's tasks: each has a range of accounts, sorted.

        The ranges are in order, so the lines need no sort of their own. They are kept until they
        were read, because they are read one range after the other but made all at once.
        """
        ranges = int(str(self._session.conf.get("spark.sql.shuffle.partitions")))
        ordered = facts.repartitionByRange(ranges, *PLACE).sortWithinPartitions(*PLACE)
        parts = _mapped(ordered, partial(fold_batches, names), PARTS_SCHEMA).persist()
        try:
            parts.count()
            yield from (part_of(*row) for row in parts.toLocalIterator())
        finally:
            parts.unpersist()

    def _cause(self, failure: Exception) -> str:
        """The last exception that its processes reported, without stack trace; else Python's."""
        lines = self._log.read_text(encoding="utf-8", errors="replace").splitlines()
        if java := [line for line in lines if _NO_JAVA.match(line)]:
            return ": ".join(java[:2])[:_LOG_SHOWN].rstrip(".")
        causes = [line for line in lines if _EXCEPTION.match(line)]
        cause = causes[-1] if causes else _message(failure)
        return cause.strip()[:_LOG_SHOWN].rstrip(".")

    def close(self) -> None:
        """End the session, and the Spark process that pyspark would keep for other sessions."""
        session = getattr(self, "_session", None)
        if session is not None:
            session.stop()
        _end_gateway()
        self._folder.cleanup()


def _mapped(
    frame: DataFrame,
    function: Callable[[Iterable[pa.RecordBatch]], Iterator[pa.RecordBatch]],
    schema: str,
) -> DataFrame:
    """The frame that a function makes of another's Arrow batches, in Spark's tasks."""
    with warnings.catch_warnings():
        # Spark asks for pandas here, and does not use it.
        warnings.filterwarnings("ignore", "PySpark does not yet fully support pandas")
        return frame.mapInArrow(function, schema)


def _version(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    for _ in batches:
        yield pa.RecordBatch.from_pydict({"version": [code_version()]})


def _batches(rows: Iterator[Row]) -> Iterator[pa.RecordBatch]:
    while some := list(islice(rows, BATCH)):
        yield pa.RecordBatch.from_pylist([row.asDict() for row in some])


def _end_gateway() -> None:
    gateway = SparkContext._gateway  # pyspark has no public way to it.
    if gateway is not None:
        gateway.shutdown()
        gateway.proc.stdin.close()  # The process ends when its input is closed.
        gateway.proc.wait(timeout=60)
        SparkContext._gateway = SparkContext._jvm = None


def _memory_mb() -> int:
    """A quarter of the memory of this machine or its container; at least Spark's default, 1 GB, at
    most all of it.
    """
    there = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    for limit in _memory_limits():
        there = min(there, limit)
    return min(max(there // 4, 2**30), there) // 2**20


def _memory_limits() -> Iterator[int]:
    """The limits of the control groups (cgroup v2): this process's own, and those around it."""
    with suppress(OSError):
        own = Path("/proc/self/cgroup").read_text(encoding="utf-8").rpartition("::")[2].strip()
        group = _CGROUPS / own.lstrip("/")
        for each in (group, *group.parents):
            with suppress(OSError, ValueError):
                yield int((each / "memory.max").read_text(encoding="utf-8"))


def _location(path: Path) -> str:
    """A file's path for Spark; characters that would be a pattern are escaped."""
    return "file:" + re.sub(r"([{}\[\]*?\\])", r"\\\1", str(path))


def _failed(failure: Exception) -> EngineFailed:
    return EngineFailed(f"Spark cannot continue: {_message(failure)}")


def _message(failure: Exception) -> str:
    """Spark's message and the first cause, without Java's stack traces."""
    message, _, trace = str(failure).partition("\n\tat ")
    causes = _CAUSE.findall(trace)
    cause = f" ({causes[-1][:_LOG_SHOWN]})" if causes else ""
    return f"{message[:_LOG_SHOWN].rstrip()}{cause}"


def _type(column: str) -> str:
    return "BIGINT" if column in INTEGERS else "STRING"


@contextmanager
def _variables(added: dict[str, str]) -> Iterator[None]:
    """Set variables for the processes that are started within, then restore the environment."""
    before = {name: os.environ.get(name) for name in added}
    os.environ.update(added)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


@contextmanager
def _output_into(log: Path) -> Iterator[None]:
    """Redirect the output of processes that are started within into a file; they inherit it."""
    sys.stdout.flush()
    sys.stderr.flush()
    kept = {stream: os.dup(stream) for stream in (1, 2)}
    try:
        with log.open("ab") as file:
            for stream in kept:
                os.dup2(file.fileno(), stream)
        yield
    finally:
        for stream, before in kept.items():
            os.dup2(before, stream)
            os.close(before)
