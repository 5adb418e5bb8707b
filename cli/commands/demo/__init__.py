"""`authledger demo`: the story of one delegation, and how it is played.

May import: as `cli.commands` says.
"""
