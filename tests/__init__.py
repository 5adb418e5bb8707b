"""What authledger promises, as sentences that can fail."""
