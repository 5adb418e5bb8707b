"""An answer and its proofs in one file: made from a ledger, checked without it.

May import: views, and what lies below them.
"""
