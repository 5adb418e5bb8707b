"""AWS CloudTrail.

May import: `source` and what lies below it; no other cloud.
"""

from ledger.sources.cloudtrail.translator import SOURCE

__all__ = ["SOURCE"]
