"""Verifiers that we did not write, held against what the ledger gives away."""
