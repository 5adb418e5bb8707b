"""Independent verifiers check the ledger's proofs."""
