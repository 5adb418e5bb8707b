"""Copies a ledger to another place, byte for byte, under the same root."""
