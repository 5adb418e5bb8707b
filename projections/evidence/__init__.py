"""An answer with its proofs in one file: made, and checked without the ledger."""
