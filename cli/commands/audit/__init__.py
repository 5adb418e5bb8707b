"""`authledger audit`: the trail, one entry, replay, diff, why, evidence.

May import: as `cli.commands` says.
"""
