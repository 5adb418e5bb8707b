"""Copies a ledger to another place, byte for byte, under the same root.

May import: verification, persistence, merkle, and what lies below them.
"""
