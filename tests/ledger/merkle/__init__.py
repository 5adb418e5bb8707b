"""The Merkle log compared with its standards: all that they require, and nothing else."""
