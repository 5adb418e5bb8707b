"""authledger log."""
