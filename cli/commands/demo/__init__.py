"""authledger demo."""
