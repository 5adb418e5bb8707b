"""Measures authledger, the stock library and the bare database. Tests assert no times."""
