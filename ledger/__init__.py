"""The write side of authledger: facts about cloud delegations, and how they come to be.

May import: nothing of `projections`, `authledger` or `cli`.
"""
