"""The Merkle log in use: keys and signer, checkpoints, proofs, witnesses, timestamps."""
