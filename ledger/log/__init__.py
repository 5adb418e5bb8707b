"""The Merkle log in use: keys, signer and its record, proofs, export, witnesses, timestamps.

May import: persistence, merkle, and what lies below them.
"""
