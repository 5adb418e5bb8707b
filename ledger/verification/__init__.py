"""Holds every stored byte against the Merkle log, and says what was and was not checked.

May import: log (its events), persistence, merkle, and what lies below them.
"""
