"""The Merkle log as mathematics and bytes: tree, tiles, proofs, signed notes.

May import: no other package of this project. Does no I/O and reads no clock.
"""
