"""Huawei Cloud's Cloud Trace Service (CTS).

May import: `source` and what lies below it; no other cloud.
"""

from ledger.sources.cts.translator import SOURCE

__all__ = ["SOURCE"]
