"""authledger audit."""
