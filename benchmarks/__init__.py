"""Measures authledger beside the stock library and the bare database; tests assert no time."""
