"""`authledger log`: the Merkle log's keys, checkpoints, proofs, verification and witnesses.

May import: as `cli.commands` says.
"""
