"""`authledger log`: the Merkle log's key, checkpoints, proofs, verification, witnesses, timestamps.

May import: as `cli.commands` says.
"""
