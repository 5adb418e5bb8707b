"""Answers about the history itself: why something is as it is, two instants compared, a replay.

May import: `views`, and what lies below it; of the ledger its events and their effects.
"""
