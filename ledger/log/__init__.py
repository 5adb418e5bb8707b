"""The Merkle log in use: keys and signer, proofs and export, witnesses, timestamps.

May import: persistence, merkle, and what lies below them.
"""
