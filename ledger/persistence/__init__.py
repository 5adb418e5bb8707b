"""How entries are kept: the canonical bytes, and what every database promises of them.

May import: merkle, messages, values, errors. Both databases are known to `failures` and
`raw_reading` alone.
"""
