"""The Merkle log as mathematics and bytes: tree, tiles, proofs, signed notes.

May import: nothing of ours. Does no input or output and reads no clock.
"""
