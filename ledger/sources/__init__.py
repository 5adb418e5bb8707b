"""Translators from a cloud's own traces into observed facts: `SOURCES[…].read(files, report)`.

May import: account (its events), messages, values, errors; never persistence.
"""

from ledger.sources.files import files_of, stored_bytes
from ledger.sources.reader import SOURCES, Traces
from ledger.sources.report import ImportReport, Malformed

__all__ = ["SOURCES", "ImportReport", "Malformed", "Traces", "files_of", "stored_bytes"]
