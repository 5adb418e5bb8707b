"""Stores entries: their canonical bytes, and the protocol that every database implements.

May import: merkle, messages, values, errors. Only `failures` and `raw_reading` import both
databases.
"""
