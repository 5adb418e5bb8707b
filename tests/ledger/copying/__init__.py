"""Tests of copies: the same ledger in another place."""
