"""Verification: compare every stored byte with the Merkle log, and say what was not checked.

May import: events, log, persistence, merkle, and what lies below them.
"""
