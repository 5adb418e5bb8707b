"""Verification: compare every stored byte with the Merkle log, and say what was not checked.

May import: log (its events), persistence, merkle, and what lies below them.
"""
