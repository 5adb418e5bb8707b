"""The Merkle log: tree, tiles, proofs and signed texts as bytes. No input or output, no clock."""
